"""``kyphoplan run``: a scan in, a folder with figures, plan, pages, pictures and exports out."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyphoplan.cli import stages
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
from kyphoplan.cli.options import (
    Calibrated,
    Cores,
    Ct,
    Device,
    Draws,
    ErrorDeg,
    ErrorMm,
    Gauge,
    Labels,
    Levels,
    Output,
    Scheme,
    Seed,
)
from kyphoplan.cli.simulate import rehearse
from kyphoplan.cli.strength import parse_calibration

if TYPE_CHECKING:
    from kyphoplan.case import Measurements, Notice, Plan, Rehearsal, Spine, Volume

EXAMPLE = "Example: kyphoplan run -i ct.nii.gz -s labels.nii.gz -o result --cannula 10G"

NoRehearsal = Annotated[
    bool, typer.Option("--no-rehearsal", help="Plan only; leave the rehearsal out.")
]


def run(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: Labels,
    output: Output,
    ct: Ct = None,
    levels: Levels = None,
    no_rehearsal: NoRehearsal = False,
    calibration: Calibrated = None,
    draws: Draws = 0,
    seed: Seed = 0,
    threads: Cores = 2,
    cannula: Gauge = "10G",
    aiming_error_mm: ErrorMm = 1.0,
    aiming_error_deg: ErrorDeg = 2.0,
    label_scheme: Scheme = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure a scan, plan its fractured levels, and rehearse the plan.

    Writes surgeon.html, measurements.html, plan.json, measurements.json, manifest.json,
    rehearsal.json, navigation.csv, segmentation.seg.nrrd, figures/, meshes/ and trajectories/.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    chosen = parse_levels(levels)
    parameters = {
        "levels": chosen,
        "rehearsal": not no_rehearsal,
        "calibration": calibration,
        "draws": draws,
        "seed": seed,
        "threads": threads,
        "cannula": parse_cannula(cannula),
        "aiming_error_mm": aiming_error_mm,
        "aiming_error_deg": aiming_error_deg,
        "label_scheme": label_scheme,
        "device": device,
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
    rehearsal = _rehearsal(progress, plan, spine, scanned.ct, measured, parameters)
    with progress.stage("draw and write"):
        from kyphoplan.report import fill  # noqa: PLC0415
        from kyphoplan.report.surgeon import write_surgeon  # noqa: PLC0415

        fill(working, measured, spine, scanned.ct, levels=chosen)
        write_surgeon(working, plan, spine, measured, scanned.ct, rehearsal)
    with progress.stage("export"):
        from kyphoplan.report.exports import write_exports  # noqa: PLC0415

        notices = measured.notices + plan.notices
        notices += () if rehearsal is None else rehearsal.notices
        notices += write_exports(working, plan, spine, scanned.labels)
    with progress.stage("record"):
        from kyphoplan.io import write_json  # noqa: PLC0415
        from kyphoplan.io.manifest import manifest  # noqa: PLC0415

        inputs = {"labels": labels} | ({} if ct is None else {"ct": ct})
        record = manifest(inputs, parameters, progress.timings_s, notices)
        write_json(working / "manifest.json", record)
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
    if ct is None or not parameters["rehearsal"] or not plan.levels:
        return None
    given = parameters["calibration"]
    line = None if given is None else parse_calibration(given)
    more = {"line": line, "edge_mm": EDGE_MM}
    return rehearse(progress, plan, spine, ct, measured, parameters | more)


EDGE_MM = 1.0  # [mm] of the voxels of a rehearsal


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
