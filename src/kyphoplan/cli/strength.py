"""``kyphoplan strength``: what a vertebra bears, from its CT."""

from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.cli import stages
from kyphoplan.cli.console import (
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    parse_levels,
    say,
)
from kyphoplan.cli.kernels import load_kernels
from kyphoplan.cli.options import Cores, Ct, Device, Labels, Orientation, Output, Scheme, Series
from kyphoplan.cli.record import write_record
from kyphoplan.errors import CaseError

if TYPE_CHECKING:
    from kyphoplan.case import Vertebra, Volume
    from kyphoplan.simulation.calibration import Calibration
    from kyphoplan.simulation.specimen import Specimen
    from kyphoplan.simulation.strength import Strength

EXAMPLE = (
    "Example: kyphoplan strength -i ct.nii.gz -s labels.nii.gz --level L2 "
    "--calibration 0.8,-5,0.05 -o result"
)
FROM_SCAN = "scan"  # instead of a line's numbers
KINDS = ("cement", "disc")  # as `Caps` has them; that module would slow `--help`
FEWEST, MOST = 2, 3  # numbers of a calibration

OfLevel = Annotated[str, typer.Option("--level", metavar="NAME", help="The vertebra, such as L2.")]
Line = Annotated[
    str,
    typer.Option(
        "--calibration",
        metavar="SLOPE,OFFSET[,SPREAD]|scan",
        help="Mineral density [mg/cm3] is SLOPE x HU + OFFSET; SPREAD: relative error of SLOPE. "
        "Or scan: from the air, fat and muscle that it shows.",
    ),
]
Edge = Annotated[
    float, typer.Option("--edge-mm", metavar="MM", min=0.3, max=3.0, help="Edge of the voxels.")
]
Between = Annotated[
    str,
    typer.Option(
        "--caps", metavar="KIND", help="What the vertebra is pressed between: cement or disc."
    ),
]


def strength(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: Labels,
    output: Output,
    level: OfLevel,
    calibration: Line,
    ct: Ct = None,
    edge_mm: Edge = 1.0,
    caps: Between = "cement",
    threads: Cores = 2,
    label_scheme: Scheme = None,
    series: Series = None,
    assume_orientation: Orientation = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compress a vertebra between cement caps or discs: stiffness, failure load, maps of stress.

    Writes strength.json, curve.csv, figures/*.png and vertebra.vtu to the output folder.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    chosen = parse_levels(level)
    assert chosen is not None
    line = None if calibration == FROM_SCAN else parse_calibration(calibration)
    if caps not in KINDS:
        raise typer.BadParameter(f"caps {caps!r}: give one of {', '.join(KINDS)}")
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast

        if ct is None:
            raise CaseError("no CT: strength cannot be told from labels alone: give -i")
        asked = {"level": level, "calibration": calibration, "edge_mm": edge_mm, "caps": caps}
        asked |= {"threads": threads, "label_scheme": label_scheme, "series": series}
        asked |= {"assume_orientation": assume_orientation, "device": device}
        with result_folder(output, overwrite=overwrite) as working:
            scanned = stages.read(
                progress,
                labels,
                ct,
                scheme=label_scheme,
                levels=chosen,
                series=series,
                assume_orientation=assume_orientation,
            )
            vertebra = stages.locate(progress, scanned)[chosen[0]]
            assert scanned.ct is not None
            load_kernels(progress, threads)
            with progress.stage("compress and crush"):
                found = _compress(vertebra, scanned.ct, line, edge_mm, caps, threads)
            with progress.stage("draw and write"):
                from kyphoplan.report.strength import write_strength  # noqa: PLC0415

                write_strength(working, chosen[0], *found)
            inputs, basis = {"labels": labels, "ct": ct}, scanned.labels.basis
            notices = scanned.notices
            write_record(working, progress, "strength", inputs, asked, notices, level_names=basis)
        progress.notices(scanned.notices)
        failure = found[1].failure
        if failure.value is None:
            say(f"warning: {chosen[0]}: {failure.reason}")
        hand_over(output)


def _compress(
    vertebra: "Vertebra",
    ct: "Volume",
    line: "Calibration | None",
    edge_mm: float,
    caps: str,
    threads: int,
) -> "tuple[Specimen, Strength]":
    """Cut a vertebra out, compress and crush it."""
    from kyphoplan.simulation.calibration import from_scan  # noqa: PLC0415
    from kyphoplan.simulation.specimen import Caps, cut  # noqa: PLC0415
    from kyphoplan.simulation.strength import measure_strength  # noqa: PLC0415

    specimen = cut(vertebra, ct, edge_mm, caps=Caps(caps))
    line = line or from_scan(ct)
    return specimen, measure_strength(specimen, line, threads=threads, flexion=True)


def parse_calibration(text: str) -> "Calibration":
    """Read slope, offset and the slope's relative error."""
    from kyphoplan.simulation.calibration import given  # noqa: PLC0415 - keeps `--help` fast

    try:
        numbers = [float(part) for part in text.split(",")]
        if not FEWEST <= len(numbers) <= MOST:
            raise ValueError("give SLOPE,OFFSET or SLOPE,OFFSET,SPREAD")
        return given(numbers[0], numbers[1], spread=numbers[2] if len(numbers) == MOST else 0.0)
    except ValueError as error:
        raise typer.BadParameter(f"calibration {text!r}: {error}") from None
