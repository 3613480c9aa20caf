"""``kyphoplan measure``: a scan in, a folder with figures, page and pictures out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.case.level import Level
from kyphoplan.cli.console import (
    ABSTAINED,
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    parse_levels,
    say,
)
from kyphoplan.errors import NotFoundError

if TYPE_CHECKING:
    from kyphoplan.case import LabelMap, Measurements, Notice, Volume

EXAMPLE = "Example: kyphoplan measure -i ct.nii.gz -s labels.nii.gz -o result"


def _cpu(name: str) -> str:
    if name != "cpu":
        raise typer.BadParameter(f"{name!r} is not supported: use cpu")
    return name


Labels = Annotated[
    Path,
    typer.Option(
        "--segmentation", "-s", metavar="PATH", help="Vertebra label map: a file or a folder."
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the result.")
]
Ct = Annotated[
    Path | None,
    typer.Option(
        "--input", "-i", metavar="PATH", help="CT: NIfTI, NRRD or MHA file, or a DICOM folder."
    ),
]
Levels = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Report and draw these levels only, such as T12,L1."),
]
Scheme = Annotated[
    str | None,
    typer.Option(
        metavar="SCHEME", help="Label scheme, such as verse or totalseg, or a .json or .tsv table."
    ),
]
Device = Annotated[
    str, typer.Option(metavar="DEVICE", help="Where to compute: cpu.", callback=_cpu)
]


def measure(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: Labels,
    output: Output,
    ct: Ct = None,
    levels: Levels = None,
    label_scheme: Scheme = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure the vertebrae of a scan, find and grade its fractures.

    Writes measurements.json, measurements.html and figures/*.png to the output folder.
    Without a CT the shape alone is measured.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    chosen = parse_levels(levels)
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast

        with result_folder(output, overwrite=overwrite) as working:
            measured = _run(progress, working, labels, ct, scheme=label_scheme, levels=chosen)
        progress.notices(measured.notices)
        hand_over(output)
        _abstain_if_empty(measured, labels, output)


def _run(
    progress: Progress,
    working: Path,
    labels: Path,
    ct: Path | None,
    *,
    scheme: str | None,
    levels: Sequence[Level] | None,
) -> "Measurements":
    """Run the stages; heavy libraries are loaded in the stage that needs them."""
    with progress.stage("read"):
        label_map, volume, notices = _read(labels, ct, scheme, levels)
        _check_levels(labels, label_map, levels)
    with progress.stage("find the anatomy"):
        from kyphoplan.anatomy import locate  # noqa: PLC0415

        spine = locate(label_map, volume)
    with progress.stage("measure"):
        from kyphoplan import morphometry  # noqa: PLC0415

        measured = morphometry.measure(spine, volume)
    measured = _only(replace(measured, notices=notices + measured.notices), levels)
    with progress.stage("draw and write"):
        from kyphoplan.report import fill  # noqa: PLC0415

        fill(working, measured, spine, volume, levels=levels)
    return measured


def _read(
    labels: Path, ct: Path | None, scheme: str | None, levels: Sequence[Level] | None
) -> tuple["LabelMap", "Volume | None", tuple["Notice", ...]]:
    """Read labels and CT, check that they belong together; return all notices with them."""
    from kyphoplan import io  # noqa: PLC0415
    from kyphoplan.io.label_schemes import SUBREGIONS  # noqa: PLC0415

    in_view = levels if scheme == SUBREGIONS else None
    label_map, notices = io.read_labels_with_notices(labels, scheme=scheme, levels=in_view)
    if ct is None:
        return label_map, None, notices
    volume, more = io.read_volume_with_notices(ct)
    return label_map, volume, notices + more + io.check_together(volume, label_map)


def _check_levels(path: Path, labels: "LabelMap", levels: Sequence[Level] | None) -> None:
    present = sorted(set(labels.levels.values()))
    absent = [str(level) for level in levels or () if level not in present]
    if absent:
        have = ", ".join(str(level) for level in present)
        raise NotFoundError(f"{path}: holds no {', '.join(absent)}: choose from {have}")


def _only(measured: "Measurements", levels: Sequence[Level] | None) -> "Measurements":
    """Keep the chosen levels; their neighbours served for comparison, so their warnings stay."""
    if levels is None:
        return measured
    spans = (k for k in measured.kyphosis if any(k.upper <= n <= k.lower for n in levels))
    return replace(
        measured,
        vertebrae=tuple(row for row in measured.vertebrae if row.level in levels),
        kyphosis=tuple(spans),
        notices=measured.notices + _left_out(measured, levels),
    )


def _left_out(measured: "Measurements", levels: Sequence[Level]) -> tuple["Notice", ...]:
    """Warn of each fracture that lies outside the chosen levels."""
    from kyphoplan.case import Notice, Severity  # noqa: PLC0415

    return tuple(
        Notice(
            code="fracture_elsewhere",
            severity=Severity.WARNING,
            level=row.level,
            text="is fractured too, but is not among the chosen levels",
            remedy=f"add {row.level} to --levels, or leave --levels out",
        )
        for row in measured.fractures
        if row.level not in levels
    )


def _abstain_if_empty(measured: "Measurements", labels: Path, output: Path) -> None:
    from kyphoplan.report import anything_measured  # noqa: PLC0415

    if not anything_measured(measured):
        say(f"{labels}: nothing could be measured: the reasons are in {output}")
        raise typer.Exit(ABSTAINED)
