"""``kyphoplan patient``: a record to fill in, and what a record lacks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.cli.console import REFUSED, Overwrite, Progress, hand_over, outcome, say

if TYPE_CHECKING:
    from kyphoplan.case import Assessment

NEW_EXAMPLE = "Example: kyphoplan patient new -o anna.json"
CHECK_EXAMPLE = "Example: kyphoplan patient check anna.json"

app = typer.Typer(
    help="Write an empty patient record, or say what a record lacks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.")]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Fill in what a FHIR Bundle or a record says."),
]
Record = Annotated[
    Path, typer.Argument(metavar="FILE", help="Patient record: our JSON, or a FHIR R4 Bundle.")
]


@app.command(epilog=NEW_EXAMPLE)
def new(output: File, source: From = None, overwrite: Overwrite = False) -> None:
    """Write an empty record, each field with its question, unit and range beside it."""
    with outcome(Progress(quiet=True)):
        from kyphoplan.errors import OutputError  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io import write_json  # noqa: PLC0415
        from kyphoplan.io.patient_record import filled_template, read_patient  # noqa: PLC0415

        if output.exists() and not overwrite:
            raise OutputError(f"{output}: is there already: give another file, or --overwrite")
        patient = None if source is None else read_patient(source)
        write_json(output, filled_template(patient))
        hand_over(output)


@app.command(epilog=CHECK_EXAMPLE)
def check(record: Record) -> None:
    """Say what is wrong with a record, or else which answers are missing and what they decide.

    The exit code is 0 if the record can be read, 3 if not.
    """
    with outcome(Progress(quiet=True)):
        from kyphoplan.assessment import assess  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io.patient_record import problems_of, read_patient  # noqa: PLC0415

        problems = problems_of(record)
        for line in problems:
            say(f"refused: {line}")
        if problems:
            raise typer.Exit(REFUSED)
        _show(assess(None, read_patient(record)), record)


def _show(assessment: "Assessment", record: Path) -> None:
    from kyphoplan.io.patient_fields import paths  # noqa: PLC0415

    questions = paths()
    missing = [name for name in assessment.missing if not name.startswith("image:")]
    typer.echo(f"{record}: can be read; {len(missing)} answers are missing")
    for name in missing:
        asking = [f for f in assessment.all_findings if name in f.missing]
        worst = max(asking, key=lambda finding: finding.at_worst.rank)
        rules = ", ".join(dict.fromkeys(finding.rule for finding in asking))
        question = questions[name].asked.question if name in questions else "check what it is"
        typer.echo(f"{name}: {question}")
        typer.echo(f"    could come to {worst.at_worst} ({rules})")
    if not missing:
        typer.echo("Nothing is missing that a rule asks for.")
