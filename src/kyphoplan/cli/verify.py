"""``kyphoplan verify``: whether a result is still as it was written."""

from pathlib import Path
from typing import Annotated

import typer

from kyphoplan.cli.console import REFUSED, Progress, Quiet, Verbose, outcome, say

EXAMPLE = "Example: kyphoplan verify -q result"

Result = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a result.")]


def verify(folder: Result, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Check that every file of a result is byte for byte as it was written.

    Prints nothing but the number of files; names each file that was changed, added or removed,
    and then leaves with exit code 3.
    """
    with outcome(Progress(quiet=quiet, verbose=verbose)):
        from kyphoplan.io import sealing  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io.volumes import naming  # noqa: PLC0415

        with naming(folder):
            broken = sealing.broken_seals(folder)
            count = len(sealing.sealed_hashes(folder))
    for line in broken:
        say(f"changed: {folder}: {line}")
    if broken:
        raise typer.Exit(REFUSED)
    if not quiet:
        typer.echo(f"{count} files as they were written")
