"""``kyphoplan rerun``: make a result again from its record, and compare the two."""

import inspect
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kyphoplan.cli.console import ABSTAINED, REFUSED, Progress, Quiet, Verbose, outcome, say
from kyphoplan.errors import CaseError, NotFoundError

EXAMPLE = "Example: kyphoplan rerun -q result"
DEEPEST = 4  # [1] folders below a place that are searched for an input
MOST_ENTRIES = 20_000  # [1] files looked at in a place before the search gives up
OURS = ("output", "overwrite", "quiet", "verbose")  # arguments that a record cannot set

Result = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a result.")]
Places = Annotated[
    list[Path] | None,
    typer.Option(
        "--inputs",
        metavar="FOLDER",
        help="Where the inputs lie; may be repeated. Default: here, and beside the result.",
    ),
]


def rerun(
    folder: Result, inputs: Places = None, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Make a result again from its record and its inputs, and compare every file.

    The inputs are found by their names and SHA-256. Leaves with exit code 3 if a file differs.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    with outcome(progress):
        from kyphoplan.io import sealing  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io.volumes import naming  # noqa: PLC0415

        with naming(folder):
            first = sealing.sealed_hashes(folder)
            record = _record(folder)
            command, arguments = _arguments(record)
            places = inputs or [Path(), folder.absolute().parent]
            arguments |= _located(record["inputs"], places)
        with tempfile.TemporaryDirectory() as place, _at(record["date_utc"]):
            again = Path(place) / "result"
            _repeat(command, again, quiet=quiet, verbose=verbose, **arguments)
            second = sealing.sealed_hashes(again)
    differing = sorted(
        n for n in {*first, *second} - {sealing.RECORD} if first.get(n) != second.get(n)
    )
    for name in differing:
        say(f"differs: {folder}: {name}")
    if differing:
        raise typer.Exit(REFUSED)
    if not quiet:
        typer.echo(f"{len(first)} files made again, all the same")


def _repeat(command: Callable[..., None], output: Path, **arguments: Any) -> None:
    """Run the command without its word on stdout; that nothing could be measured is a result."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            command(output=output, **arguments)
        except typer.Exit as left:
            if left.exit_code != ABSTAINED:
                raise


def _record(folder: Path) -> dict[str, Any]:
    from kyphoplan.io import sealing  # noqa: PLC0415

    if broken := sealing.broken_seals(folder):
        raise CaseError(f"{broken[0]}: its record cannot be relied on: see kyphoplan verify")
    record = folder / sealing.RECORD
    if not record.is_file():
        raise CaseError("has no manifest.json, so it is not known how it was made")
    return dict(json.loads(record.read_text(encoding="utf-8")))


def _arguments(record: Mapping[str, Any]) -> tuple[Callable[..., None], dict[str, Any]]:
    """Return the function of the recorded command, and its recorded arguments."""
    from kyphoplan import __version__  # noqa: PLC0415
    from kyphoplan.cli.app import app  # noqa: PLC0415 - it imports this module

    if record["made_by"] != f"kyphoplan {__version__}":
        raise CaseError(
            f"was made by {record['made_by']}, this is {__version__}: install that one"
        )
    known = {
        c.callback.__name__.replace("_", "-"): c.callback
        for c in app.registered_commands
        if c.callback
    }
    function = known.get(str(record.get("command")))
    if function is None:
        raise CaseError("its record names no command: it was not made by the command line")
    accepted = set(inspect.signature(function).parameters) - set(OURS)
    given = {k: v for k, v in record["parameters"].items() if v is not None}
    if unknown := sorted(set(given) - accepted):
        raise CaseError(f"its record has unknown settings ({', '.join(unknown)}): make it anew")
    return function, {name: _as_typed(name, value) for name, value in given.items()}


def _as_typed(name: str, value: Any) -> Any:
    return (
        ",".join(value)
        if name == "levels"
        else tuple(value)
        if name in {"spacing", "tilt"}
        else value
    )


def _located(inputs: Mapping[str, Any], places: Sequence[Path]) -> dict[str, Path]:
    """Find each input by its name and hash."""
    from kyphoplan.io.sealing import sha256  # noqa: PLC0415

    found = {}
    for role, about in inputs.items():
        candidates = (path for place in places for path in _named(place, str(about["name"])))
        match = next((path for path in candidates if sha256(path) == about["sha256"]), None)
        if match is None:
            raise NotFoundError(
                f"{role}: {about['name']} as it was (sha256 {about['sha256'][:12]}...) is not "
                "found: say where with --inputs"
            )
        found[role] = match
    return found


def _named(place: Path, name: str) -> Iterator[Path]:
    """Yield what has this name in a folder, and not too deep below it."""
    seen = 0
    for top, folders, files in os.walk(place):
        depth = len(Path(top).relative_to(place).parts)
        seen += len(files)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if depth < DEEPEST else []
        if name in {*files, *folders}:
            yield Path(top) / name
        if seen > MOST_ENTRIES:
            return


@contextmanager
def _at(date_utc: str) -> Iterator[None]:
    """Have results say the date of the first run."""
    from kyphoplan.io.manifest import EPOCH  # noqa: PLC0415

    before = os.environ.get(EPOCH)
    os.environ[EPOCH] = str(int(datetime.fromisoformat(date_utc).timestamp()))
    try:
        yield
    finally:
        os.environ.pop(EPOCH)
        if before is not None:
            os.environ[EPOCH] = before
