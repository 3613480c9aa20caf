"""``kyphoplan run``: a scan in, a folder with figures, plan, pages, pictures and exports out."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyphoplan.cli import options, stages
from kyphoplan.cli.assessing import assess_scan, hold_back, read_record
from kyphoplan.cli.booklet import print_booklet, write_booklet
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
from kyphoplan.cli.record import write_record
from kyphoplan.cli.simulate import rehearse

if TYPE_CHECKING:
    from kyphoplan.case import (
        Assessment,
        Measurements,
        Notice,
        Plan,
        Rehearsal,
        Spine,
        Volume,
    )
    from kyphoplan.cli.assessing import Record

EXAMPLE = "Example: kyphoplan run -i ct.nii.gz -s labels.nii.gz -o result --cannula 10G"

NoRehearsal = Annotated[
    bool, typer.Option("--no-rehearsal", help="Plan only; leave the rehearsal out.")
]


def run(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: options.Labels,
    output: options.Output,
    ct: options.Ct = None,
    patient: options.PatientRecord = None,
    levels: options.Levels = None,
    no_rehearsal: NoRehearsal = False,
    calibration: options.Calibrated = None,
    draws: options.Draws = 0,
    seed: options.Seed = 0,
    threads: options.Cores = 2,
    cannula: options.Gauge = "10G",
    aiming_error_mm: options.ErrorMm = 1.0,
    aiming_error_deg: options.ErrorDeg = 2.0,
    label_scheme: options.Scheme = None,
    series: options.Series = None,
    assume_orientation: options.Orientation = None,
    device: options.Device = "cpu",
    i_confirm_same_patient: options.Confirmed = False,
    pdf: options.Pdf = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure a scan, assess the patient, plan the fractured levels, rehearse the plan.

    Writes surgeon.html, patient.html, measurements.html, assessment.json, plan.json,
    rehearsal.json, measurements.json, manifest.json, navigation.csv, segmentation.seg.nrrd,
    figures/, meshes/ and trajectories/. A level where cord or nerves may have to be freed first
    is not planned.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    chosen = parse_levels(levels)
    parameters = {
        "levels": chosen,
        "no_rehearsal": no_rehearsal,
        "calibration": calibration,
        "draws": draws,
        "seed": seed,
        "threads": threads,
        "cannula": parse_cannula(cannula),
        "aiming_error_mm": aiming_error_mm,
        "aiming_error_deg": aiming_error_deg,
        "label_scheme": label_scheme,
        "series": series,
        "assume_orientation": assume_orientation,
        "device": device,
        "i_confirm_same_patient": i_confirm_same_patient,
        "pdf": pdf,
    }
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast

        with result_folder(output, overwrite=overwrite) as working:
            record = read_record(progress, patient, ct, confirmed=i_confirm_same_patient)
            measured, notices = _run(progress, working, labels, ct, record, parameters)
        progress.notices(notices)
        hand_over(output)
        abstain_if_empty(measured, labels, output)


def _run(
    progress: Progress,
    working: Path,
    labels: Path,
    ct: Path | None,
    record: "Record",
    parameters: dict[str, Any],
) -> "tuple[Measurements, tuple[Notice, ...]]":
    chosen = parameters["levels"]
    scanned = stages.read(
        progress,
        labels,
        ct,
        scheme=parameters["label_scheme"],
        levels=chosen,
        series=parameters["series"],
        assume_orientation=parameters["assume_orientation"],
    )
    scanned = replace(scanned, notices=record.notices + scanned.notices)
    spine = stages.locate(progress, scanned)
    measured = stages.measure(progress, scanned, spine, chosen)
    assessed = assess_scan(progress, measured, record, chosen)
    plan = _plan(progress, spine, measured, assessed, parameters)
    rehearsal = _rehearsal(progress, plan, spine, scanned.ct, measured, parameters)
    with progress.stage("draw and write"):
        from kyphoplan.report import fill  # noqa: PLC0415
        from kyphoplan.report.surgeon import write_surgeon  # noqa: PLC0415

        fill(working, measured, spine, scanned.ct, levels=chosen)
        write_surgeon(
            working,
            plan,
            spine,
            measured,
            scanned.ct,
            assessment=assessed,
            rehearsal=rehearsal,
        )
    inputs = {"labels": labels} | ({} if ct is None else {"ct": ct})
    inputs |= {} if record.path is None else {"patient": record.path}
    known = {"spine": spine, "plan": plan, "patient": record.patient, "assessment": assessed}
    write_booklet(progress, working, measured, inputs, **known)
    with progress.stage("export"):
        from kyphoplan.report.exports import write_exports  # noqa: PLC0415

        notices = measured.notices + plan.notices
        notices += () if rehearsal is None else rehearsal.notices
        notices += write_exports(working, plan, spine, scanned.labels)
    with progress.stage("record"):
        basis = measured.label_basis
        write_record(working, progress, "run", inputs, parameters, notices, level_names=basis)
    if parameters["pdf"]:
        print_booklet(progress, working)
    return measured, notices


def _rehearsal(
    progress: Progress,
    plan: "Plan",
    spine: "Spine",
    ct: "Volume | None",
    measured: "Measurements",
    parameters: dict[str, Any],
) -> "Rehearsal | None":
    """Rehearse the plan, unless that is not wanted or there is nothing to rehearse on."""
    if ct is None or parameters["no_rehearsal"] or not plan.levels:
        return None
    return rehearse(progress, plan, spine, ct, measured, parameters)


def _plan(
    progress: Progress,
    spine: "Spine",
    measured: "Measurements",
    assessed: "Assessment",
    parameters: dict[str, Any],
) -> "Plan":
    """Plan the chosen levels, else the fractured ones; say so if there are none."""
    wanted = parameters["levels"] or tuple(row.level for row in measured.fractures)
    levels, held = hold_back(assessed, wanted)
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
            levels=levels,
            cannula=parameters["cannula"],
            aiming=aiming,
        )
    plan = replace(plan, notices=(*held, *plan.notices))
    if plan.levels or held:
        return plan
    nothing = Notice(
        code="nothing_to_plan",
        severity=Severity.WARNING,
        level=None,
        text="no level is called fractured, so nothing was planned",
        remedy="name the levels to be planned with --levels",
    )
    return replace(plan, notices=(*plan.notices, nothing))
