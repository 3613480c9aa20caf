"""``kyphoplan phantom``: a synthetic spine CT with known truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.case.level import Level
from kyphoplan.cli.console import (
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    parse_levels,
)
from kyphoplan.cli.record import write_record

if TYPE_CHECKING:
    from kyphoplan.phantom import Collapse, Phantom, Scan

EXAMPLE = "Example: kyphoplan phantom -o demo/phantom --collapse L1:0.4,0.3,0.1,4"
DEFAULT_COLLAPSE = "L1:0.4,0.3,0.1,4"  # a moderate wedge with 4 mm of retropulsion
# [HU] spongy bone of the top level; 80 at L1 below T10. A spine that breaks is osteoporotic:
# at L1 90 and less counts so in the OF score (pocket card of the AO Spine-DGOU, as `ofscore`).
OSTEOPOROTIC_HU = 92.0
SMALLEST_MM, LARGEST_MM = 0.3, 10.0  # [mm] voxel sizes: below, memory runs out; above, no spine

Triple = tuple[float, float, float]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the phantom.")
]
Fractures = Annotated[
    list[str] | None,
    typer.Option(
        "--collapse",
        metavar="FRACTURE",
        help="LEVEL:ANTERIOR,MIDDLE,POSTERIOR[,RETROPULSION]: lost part of each height "
        f"(0 to 0.8), bulge into the canal [mm]; may be repeated. Default {DEFAULT_COLLAPSE}.",
    ),
]
Intact = Annotated[bool, typer.Option("--intact", help="No fracture.")]
Levels = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Vertebrae without a gap, T5 to L6. Default T10 to L3."),
]
Spacing = Annotated[
    Triple, typer.Option(metavar="X Y Z", help="Voxel size: left, posterior, superior [mm].")
]
Tilt = Annotated[
    Triple,
    typer.Option(
        metavar="X Y Z", help="Patient turned about the left, posterior, superior axis [deg]."
    ),
]
Noise = Annotated[
    float, typer.Option(metavar="HU", min=0.0, help="Noise, standard deviation [HU].")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the noise.")]
Dicom = Annotated[bool, typer.Option(help="Write the CT as DICOM slices too.")]


def phantom(  # noqa: PLR0913, PLR0917 - one argument per option
    output: Output,
    collapse: Fractures = None,
    intact: Intact = False,
    levels: Levels = None,
    spacing: Spacing = (1.0, 1.0, 1.0),
    tilt: Tilt = (0.0, 0.0, 0.0),
    noise: Noise = 15.0,
    seed: Seed = 0,
    dicom: Dicom = True,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a synthetic spine CT whose true sizes are known.

    Writes ct.nii.gz, labels.nii.gz, dicom/ and truth.json. By default L1 has a wedge fracture
    with retropulsion.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    spine = _spine(parse_levels(levels), collapse, intact=intact)
    _check_spacing(spacing)
    with outcome(progress):
        import numpy as np  # noqa: PLC0415 - keeps `--help` fast

        from kyphoplan.io import result_folder  # noqa: PLC0415
        from kyphoplan.phantom import scan  # noqa: PLC0415

        with result_folder(output, overwrite=overwrite) as working:
            with progress.stage("make the phantom"):
                rng = np.random.default_rng(seed)
                made = scan(spine, spacing_mm=spacing, tilt_deg=tilt, noise_hu=noise, rng=rng)
            with progress.stage("write"):
                _write(working, made, dicom=dicom)
            parameters = {
                "collapse": collapse,
                "intact": intact,
                "levels": parse_levels(levels),
                "spacing": spacing,
                "tilt": tilt,
                "noise": noise,
                "seed": seed,
                "dicom": dicom,
            }
            write_record(working, progress, "phantom", {}, parameters, ())
        hand_over(output)


def _spine(
    levels: tuple[Level, ...] | None, fractures: Sequence[str] | None, *, intact: bool
) -> "Phantom":
    """Build the phantom; what it cannot be is a wrong use of the options."""
    from kyphoplan.phantom import Phantom  # noqa: PLC0415

    if intact and fractures:
        raise typer.BadParameter("--intact and --collapse exclude each other: give one")
    try:
        spine = Phantom() if levels is None else Phantom(levels=levels)
        default = () if intact or Level.L1 not in spine.levels else (DEFAULT_COLLAPSE,)
        broken = tuple(_collapse(text) for text in fractures or default)
        return Phantom(levels=spine.levels, collapses=broken, trabecular_hu=OSTEOPOROTIC_HU)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _collapse(text: str) -> "Collapse":
    """Read ``L1:0.4,0.3,0.1`` or ``L1:0.4,0.3,0.1,4`` as a fracture."""
    from kyphoplan.phantom import Collapse  # noqa: PLC0415

    name, _, numbers = text.partition(":")
    try:
        anterior, middle, posterior, *rest = (float(number) for number in numbers.split(","))
        (retropulsion,) = rest or (0.0,)
    except ValueError:
        raise ValueError(
            f"{text!r} is no fracture: write LEVEL:ANTERIOR,MIDDLE,POSTERIOR[,RETROPULSION]"
        ) from None
    return Collapse(
        level=Level.parse(name),
        anterior_loss=anterior,
        middle_loss=middle,
        posterior_loss=posterior,
        retropulsion_mm=retropulsion,
    )


def _check_spacing(spacing: Triple) -> None:
    if not all(SMALLEST_MM <= size <= LARGEST_MM for size in spacing):
        raise typer.BadParameter(f"--spacing {spacing}: give {SMALLEST_MM} to {LARGEST_MM} mm")


def _write(working: Path, made: "Scan", *, dicom: bool) -> None:
    from kyphoplan import io  # noqa: PLC0415

    io.write_volume(made.ct, working / "ct.nii.gz")
    io.write_volume(made.labels, working / "labels.nii.gz")
    io.write_json(working / "truth.json", io.to_json(made.truth))
    if dicom:
        io.write_dicom_series(made.ct, working / "dicom")
