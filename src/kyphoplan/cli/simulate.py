"""``kyphoplan simulate``: the plan rehearsed on the patient's own bone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyphoplan.cli import options, stages
from kyphoplan.cli.console import (
    ABSTAINED,
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    parse_cannula,
    parse_levels,
    say,
)
from kyphoplan.cli.kernels import load_kernels
from kyphoplan.cli.record import write_record
from kyphoplan.cli.strength import parse_calibration
from kyphoplan.errors import CaseError

if TYPE_CHECKING:
    from kyphoplan.case import Measurements, Plan, Rehearsal, Spine, Volume

EXAMPLE = (
    "Example: kyphoplan simulate -i ct.nii.gz -s labels.nii.gz --calibration 0.8,-5,0.05 "
    "--draws 20 -o result"
)
EDGE_MM = 1.0  # [mm] of the voxels of a rehearsal
OfPlan = Annotated[
    Path | None,
    typer.Option("--plan", metavar="PATH", help="A plan.json to rehearse; else one is made."),
]
Preview = Annotated[
    bool, typer.Option("--preview", help="Closed form and one linear solve, in a second.")
]


def simulate(  # noqa: PLR0913, PLR0917 - one argument per option
    labels: options.Labels,
    output: options.Output,
    ct: options.Ct = None,
    levels: options.Levels = None,
    plan: OfPlan = None,
    cannula: options.Gauge = "10G",
    calibration: options.Calibrated = None,
    draws: options.Draws = 0,
    seed: options.Seed = 0,
    edge_mm: options.EdgeMm = EDGE_MM,
    threads: options.Cores = 2,
    preview: Preview = False,
    label_scheme: options.Scheme = None,
    device: options.Device = "cpu",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Rehearse a plan: balloons, void, height regained, cement, leaks, strength.

    Writes rehearsal.json, manifest.json, figures/ and meshes/ to the output folder. The exit code
    is 4 if no level could be rehearsed.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    chosen = parse_levels(levels)
    parameters = {
        "levels": chosen,
        "cannula": parse_cannula(cannula),
        "calibration": calibration,
        "draws": draws,
        "seed": seed,
        "edge_mm": edge_mm,
        "threads": threads,
        "preview": preview,
        "label_scheme": label_scheme,
        "device": device,
    }
    inputs = {"labels": labels} | ({} if plan is None else {"plan": plan})
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast

        if ct is None:
            raise CaseError("no CT: a rehearsal needs the bone's density: give -i")
        inputs["ct"] = ct
        with result_folder(output, overwrite=overwrite) as working:
            scanned = stages.read(progress, labels, ct, scheme=label_scheme, levels=chosen)
            spine = stages.locate(progress, scanned)
            measured = stages.measure(progress, scanned, spine, chosen)
            wanted = _plan(progress, spine, measured, parameters, plan)
            assert scanned.ct is not None
            found = rehearse(progress, wanted, spine, scanned.ct, measured, parameters)
            with progress.stage("draw and write"):
                from kyphoplan.report.rehearsal import write_rehearsal  # noqa: PLC0415

                write_rehearsal(working, found)
            notices = measured.notices + wanted.notices + found.notices
            basis = measured.label_basis
            write_record(
                working, progress, "simulate", inputs, parameters, notices, level_names=basis
            )
        progress.notices(notices)
        _show(found, progress)
        hand_over(output)
    if not any(level.figures for level in found.levels):
        raise typer.Exit(ABSTAINED)


def _plan(
    progress: Progress,
    spine: "Spine",
    measured: "Measurements",
    parameters: dict[str, Any],
    given: Path | None,
) -> "Plan":
    """Read the plan and judge it, or make one."""
    from kyphoplan import planning  # noqa: PLC0415

    with progress.stage("plan"):
        if given is None:
            return planning.plan(
                spine, measured, levels=parameters["levels"], cannula=parameters["cannula"]
            )
        from kyphoplan.planning.cannulas import cannula_named  # noqa: PLC0415
        from kyphoplan.report.plan_reading import read_plan  # noqa: PLC0415

        tool = cannula_named(parameters["cannula"])
        return planning.check(read_plan(given, outer_diameter_mm=tool.outer_diameter_mm), spine)


def rehearse(
    progress: Progress,
    plan: "Plan",
    spine: "Spine",
    ct: "Volume",
    measured: "Measurements",
    parameters: dict[str, Any],
) -> "Rehearsal":
    """Rehearse a plan and show how far it is."""
    load_kernels(progress, parameters["threads"])
    from kyphoplan.simulation import simulate as run  # noqa: PLC0415 - keeps `--help` fast
    from kyphoplan.simulation.preview import preview  # noqa: PLC0415

    given = parameters["calibration"]
    line = None if given is None else parse_calibration(given)
    with progress.stage("rehearse"):
        if parameters.get("preview"):
            return preview(plan, spine, ct, measured, calibration=line)
        return run(
            plan,
            spine,
            ct,
            measured,
            calibration=line,
            count=parameters["draws"],
            seed=parameters["seed"],
            edge_mm=parameters.get("edge_mm", EDGE_MM),
            threads=parameters["threads"],
            told=progress.part,
        )


def _show(found: "Rehearsal", progress: Progress) -> None:
    """Print the chief figures of each level."""
    if progress.quiet:
        return
    for level in found.levels:
        say(f"{level.level}: {level.outcome}{': ' if level.reason else ''}{level.reason}")
        for name in CHIEF:
            known = level.figures.get(name)
            if known is None:
                continue
            words = f"  {name.replace('_', ' '):<22}"
            unit = "times" if known.unit == "1" else known.unit
            if known.value is not None:
                say(f"{words}{known.value:8.2f} {unit} ({known.low:.3g} to {known.high:.3g})")
            elif name in level.as_planned:
                once = level.as_planned[name]
                say(f"{words}{once:8.2f} {unit} (once; range not estimated: take --draws)")


CHIEF = (
    "largest_pressure", "void_volume", "middle_height_gain", "largest_lift", "wedge_change",
    "cement_injected", "cement_leaked", "fill_fraction", "stiffness_ratio", "failure_load_ratio",
)  # fmt: skip
