"""``kyphoplan run``: a scan in, a folder with figures, plan, pages, pictures and exports out."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyphoplan.cli import stages
from kyphoplan.cli.booklet import write_booklet
from kyphoplan.cli.console import (
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    parse_cannula,
    parse_levels,
)
from kyphoplan.cli.measure import abstain_if_empty
from kyphoplan.cli.options import Ct, Device, ErrorDeg, ErrorMm, Gauge, Labels, Output, Pdf, Scheme

if TYPE_CHECKING:
    from kyphoplan.case import Measurements, Notice, Plan, Spine

EXAMPLE = "Example: kyphoplan run -i ct.nii.gz -s labels.nii.gz -o result --cannula 10G"

Levels = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Plan these levels, such as T12,L1; else the fractured."),
]


def run(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: Labels,
    output: Output,
    ct: Ct = None,
    levels: Levels = None,
    cannula: Gauge = "10G",
    aiming_error_mm: ErrorMm = 1.0,
    aiming_error_deg: ErrorDeg = 2.0,
    label_scheme: Scheme = None,
    device: Device = "cpu",
    pdf: Pdf = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure a scan and plan its fractured levels: cannulas, balloons, cement.

    Writes surgeon.html, patient.html, measurements.html, plan.json, measurements.json,
    manifest.json, navigation.csv, segmentation.seg.nrrd, figures/, meshes/ and trajectories/.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    chosen = parse_levels(levels)
    parameters = {
        "levels": chosen,
        "cannula": parse_cannula(cannula),
        "aiming_error_mm": aiming_error_mm,
        "aiming_error_deg": aiming_error_deg,
        "label_scheme": label_scheme,
        "device": device,
        "pdf": pdf,
    }
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast

        with result_folder(output, overwrite=overwrite) as working:
            measured, notices = _run(progress, working, labels, ct, parameters)
        progress.notices(notices)
        hand_over(output)
        abstain_if_empty(measured, labels, output)


def _run(
    progress: Progress, working: Path, labels: Path, ct: Path | None, parameters: dict[str, Any]
) -> "tuple[Measurements, tuple[Notice, ...]]":
    chosen = parameters["levels"]
    scanned = stages.read(progress, labels, ct, scheme=parameters["label_scheme"], levels=chosen)
    spine = stages.locate(progress, scanned)
    measured = stages.measure(progress, scanned, spine, chosen)
    plan = _plan(progress, spine, measured, parameters)
    with progress.stage("draw and write"):
        from kyphoplan.report import fill  # noqa: PLC0415
        from kyphoplan.report.surgeon import write_surgeon  # noqa: PLC0415

        fill(working, measured, spine, scanned.ct, levels=chosen)
        write_surgeon(working, plan, spine, measured, scanned.ct)
    inputs = {"labels": labels} | ({} if ct is None else {"ct": ct})
    booklet = {"spine": spine, "plan": plan}
    write_booklet(progress, working, measured, inputs, pdf=parameters["pdf"], **booklet)
    with progress.stage("export"):
        from kyphoplan.report.exports import write_exports  # noqa: PLC0415

        notices = measured.notices + plan.notices
        notices += write_exports(working, plan, spine, scanned.labels)
    with progress.stage("record"):
        from kyphoplan.io import write_json  # noqa: PLC0415
        from kyphoplan.io.manifest import manifest  # noqa: PLC0415

        record = manifest(inputs, parameters, progress.timings_s, notices)
        write_json(working / "manifest.json", record)
    return measured, notices


def _plan(
    progress: Progress, spine: "Spine", measured: "Measurements", parameters: dict[str, Any]
) -> "Plan":
    """Plan the chosen levels, else the fractured ones; say so if there are none."""
    with progress.stage("plan"):
        from kyphoplan import planning  # noqa: PLC0415
        from kyphoplan.case import Notice, Severity  # noqa: PLC0415

        aiming = planning.AimingError(
            entry_sd_mm=parameters["aiming_error_mm"],
            direction_sd_deg=parameters["aiming_error_deg"],
        )
        plan = planning.plan(
            spine,
            measured,
            levels=parameters["levels"],
            cannula=parameters["cannula"],
            aiming=aiming,
        )
    if plan.levels:
        return plan
    nothing = Notice(
        code="nothing_to_plan",
        severity=Severity.WARNING,
        level=None,
        text="no level is called fractured, so nothing was planned",
        remedy="name the levels to be planned with --levels",
    )
    return replace(plan, notices=(*plan.notices, nothing))
