"""``kyphoplan measure``: a scan in, a folder with figures, page and pictures out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.cli import stages
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
from kyphoplan.cli.options import Ct, Device, Labels, Orientation, Output, Scheme, Series
from kyphoplan.cli.record import write_record

if TYPE_CHECKING:
    from kyphoplan.case import Measurements

EXAMPLE = "Example: kyphoplan measure -i ct.nii.gz -s labels.nii.gz -o result"

Levels = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Report and draw these levels only, such as T12,L1."),
]


def measure(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: Labels,
    output: Output,
    ct: Ct = None,
    levels: Levels = None,
    label_scheme: Scheme = None,
    series: Series = None,
    assume_orientation: Orientation = None,
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
            scanned = stages.read(
                progress,
                labels,
                ct,
                scheme=label_scheme,
                levels=chosen,
                series=series,
                assume_orientation=assume_orientation,
            )
            spine = stages.locate(progress, scanned)
            measured = stages.measure(progress, scanned, spine, chosen)
            with progress.stage("draw and write"):
                from kyphoplan.report import fill  # noqa: PLC0415

                fill(working, measured, spine, scanned.ct, levels=chosen)
            inputs = {"labels": labels, "ct": ct}
            parameters = {
                "levels": chosen,
                "label_scheme": label_scheme,
                "series": series,
                "assume_orientation": assume_orientation,
                "device": device,
            }
            basis = measured.label_basis
            notices = measured.notices
            write_record(
                working, progress, "measure", inputs, parameters, notices, level_names=basis
            )
        progress.notices(measured.notices)
        hand_over(output)
        abstain_if_empty(measured, labels, output)


def abstain_if_empty(measured: "Measurements", labels: Path, output: Path) -> None:
    """Leave with exit code 4 if not one figure could be measured."""
    from kyphoplan.report import anything_measured  # noqa: PLC0415

    if not anything_measured(measured):
        say(f"{labels}: nothing could be measured: the reasons are in {output}")
        raise typer.Exit(ABSTAINED)
