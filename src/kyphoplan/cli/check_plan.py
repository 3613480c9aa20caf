"""``kyphoplan check-plan``: somebody's own plan, judged by the same rules."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyphoplan.case.level import Level
from kyphoplan.cli import stages
from kyphoplan.cli.console import (
    ABSTAINED,
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    parse_cannula,
    say,
)
from kyphoplan.cli.options import (
    Ct,
    Device,
    ErrorDeg,
    ErrorMm,
    Gauge,
    Labels,
    Orientation,
    Scheme,
    Series,
)
from kyphoplan.cli.record import write_record

if TYPE_CHECKING:
    from kyphoplan.case import Measure, Plan, Side, Trajectory

EXAMPLE = "Example: kyphoplan check-plan -i ct.nii.gz -s labels.nii.gz L1_left.mrk.json"

Drawn = Annotated[
    Path, typer.Argument(metavar="PLAN", help="plan.json, or 3D Slicer lines (.mrk.json).")
]
Folder = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the result, if wanted."),
]
OfLevel = Annotated[
    str | None,
    typer.Option("--level", metavar="NAME", help="Vertebra of lines that name none."),
]
OfSide = Annotated[
    str | None,
    typer.Option("--side", metavar="SIDE", help="left or right, of lines that name no side."),
]
HEADINGS = (
    "level", "side", "verdict", "grade", "breach", "medial", "lateral", "superior", "inferior",
    "anterior", "depth",
)  # fmt: skip


def check_plan(  # noqa: PLR0913, PLR0917 - one argument per option
    plan: Drawn,
    labels: Labels,
    ct: Ct = None,
    output: Folder = None,
    level: OfLevel = None,
    side: OfSide = None,
    cannula: Gauge = "10G",
    aiming_error_mm: ErrorMm = 1.0,
    aiming_error_deg: ErrorDeg = 2.0,
    label_scheme: Scheme = None,
    series: Series = None,
    assume_orientation: Orientation = None,
    device: Device = "cpu",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Judge your own cannulas, balloons and cement by the rules of ``run``.

    Prints tables; with -o writes plan.json with all verdicts, and manifest.json. The exit code
    is 0 if everything is accepted, 4 if anything is refused.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    drawn_on = (_level(level), _side(side))
    parameters = {
        "cannula": parse_cannula(cannula),
        "aiming_error_mm": aiming_error_mm,
        "aiming_error_deg": aiming_error_deg,
        "level": level,
        "side": side,
        "label_scheme": label_scheme,
        "series": series,
        "assume_orientation": assume_orientation,
        "device": device,
    }
    inputs = {"plan": plan, "labels": labels} | ({} if ct is None else {"ct": ct})
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast

        if output is None:
            checked = _check(progress, inputs, parameters, drawn_on)
        else:
            with result_folder(output, overwrite=overwrite) as working:
                checked = _check(progress, inputs, parameters, drawn_on)
                _write(working, progress, checked, inputs, parameters)
        _show(checked, progress)
        if output is not None:
            hand_over(output)
    if _refusals(checked):
        raise typer.Exit(ABSTAINED)


def _check(
    progress: Progress,
    inputs: dict[str, Path],
    parameters: dict[str, Any],
    drawn_on: "tuple[Level | None, Side | None]",
) -> "Plan":
    from kyphoplan import planning  # noqa: PLC0415
    from kyphoplan.planning.cannulas import cannula_named  # noqa: PLC0415
    from kyphoplan.report.plan_reading import read_plan  # noqa: PLC0415

    drawn = read_plan(
        inputs["plan"],
        outer_diameter_mm=cannula_named(str(parameters["cannula"])).outer_diameter_mm,
        level=drawn_on[0],
        side=drawn_on[1],
    )
    scanned = stages.read(
        progress,
        inputs["labels"],
        inputs.get("ct"),
        scheme=parameters["label_scheme"],
        levels=tuple(row.level for row in drawn.levels),
        series=parameters["series"],
        assume_orientation=parameters["assume_orientation"],
    )
    spine = stages.locate(progress, scanned)
    progress.notices(scanned.notices)
    with progress.stage("check"):
        aiming = planning.AimingError(
            entry_sd_mm=float(str(parameters["aiming_error_mm"])),
            direction_sd_deg=float(str(parameters["aiming_error_deg"])),
        )
        return planning.check(drawn, spine, aiming=aiming)


def _write(
    working: Path,
    progress: Progress,
    checked: "Plan",
    inputs: dict[str, Path],
    parameters: dict[str, object],
) -> None:
    from kyphoplan.io import write_json  # noqa: PLC0415
    from kyphoplan.report.plan_json import plan_to_json  # noqa: PLC0415

    write_json(working / "plan.json", plan_to_json(checked))
    write_record(working, progress, "check-plan", inputs, parameters, checked.notices)


def _refusals(checked: "Plan") -> list[str]:
    """Say what was refused, and why."""
    from kyphoplan.planning.checking import objections  # noqa: PLC0415

    return [
        f"{row.level} {what}: refused: {why}"
        for row in checked.levels
        for what, why in objections(row)
    ]


def _show(checked: "Plan", progress: Progress) -> None:
    """Print the verdicts, and say why each of the refused was refused."""
    if not progress.quiet:
        for rows in _tables(checked):
            typer.echo(table(rows))
    for line in _refusals(checked):
        say(line)
    progress.notices(checked.notices)


def _tables(checked: "Plan") -> Iterator[list[tuple[str, ...]]]:
    """Yield the tables of cannulas, balloons and cement; those of nothing are left out."""
    rows = [(str(row.level), way) for row in checked.levels for way in row.trajectories]
    yield [HEADINGS, *(_cells(level, way) for level, way in rows)]
    balloons = [
        (
            str(row.level),
            str(b.side),
            _verdict(b.accepted),
            b.device,
            f"{b.volume_ml:.1f} ml",
            _millimetres(b.margin_mm),
        )
        for row in checked.levels
        for b in row.inflations
    ]
    if balloons:
        yield [("level", "side", "verdict", "balloon", "volume", "margin"), *balloons]
    cement = [
        (str(row.level), _verdict(row.fill.accepted), f"{total.value:.1f} ml", _range(total))
        for row in checked.levels
        if row.fill is not None
        for total in (row.fill.total,)
        if total.value is not None
    ]
    if cement:
        yield [("level", "verdict", "cement", "range"), *cement]


def _verdict(accepted: bool) -> str:
    return "accepted" if accepted else "REFUSED"


def _range(measure: "Measure") -> str:
    return f"{measure.low:.1f} to {measure.high:.1f} ml"


def _cells(level: str, way: "Trajectory") -> tuple[str, ...]:
    clear = way.clearance
    walls = (clear.medial, clear.lateral, clear.superior, clear.inferior, clear.anterior)
    chance = way.breach_probability.value
    return (
        level,
        str(way.side),
        _verdict(way.accepted),
        way.grades,
        "-" if chance is None else f"{100.0 * chance:.1f} %",
        *(_millimetres(measure) for measure in walls),
        f"{way.depth_mm:.1f} mm",
    )


def _millimetres(measure: "Measure") -> str:
    return "-" if measure.value is None else f"{measure.value:.1f} mm"


def table(rows: "list[tuple[str, ...]]") -> str:
    """Set rows in columns.

    Examples
    --------
    >>> print(table([("level", "side"), ("L1", "left")]))
    level  side
    L1     left
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _level(name: str | None) -> Level | None:
    try:
        return None if name is None else Level.parse(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _side(name: str | None) -> "Side | None":
    from kyphoplan.case import Side  # noqa: PLC0415

    try:
        return None if name is None else Side(name.strip().lower())
    except ValueError:
        raise typer.BadParameter(f"side {name!r}: give left or right") from None
