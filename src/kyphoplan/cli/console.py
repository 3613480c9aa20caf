"""Talking to the user: progress and one-line refusals on stderr, the result's path on stdout."""

import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kyphoplan.case.level import Level
from kyphoplan.errors import KyphoplanError, OutputError

if TYPE_CHECKING:
    from kyphoplan.case import Notice

INTERNAL, USAGE, REFUSED, ABSTAINED, UNWRITABLE = 1, 2, 3, 4, 5  # [1] exit codes
INTERRUPTED, TERMINATED = 130, 143  # [1] exit codes: 128 + signal number, as shells have it

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Notes too, and tracebacks.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a result in the folder.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Stage names and elapsed times on stderr; a spinner where somebody watches."""

    quiet: bool = False
    verbose: bool = False
    timings_s: dict[str, float] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage while it runs, and how long it took."""
        start = time.perf_counter()
        with self._shown(name, start):
            yield
        self.timings_s[name] = time.perf_counter() - start

    @contextmanager
    def _shown(self, name: str, start: float) -> Iterator[None]:
        if self.quiet:
            yield
            return
        from rich.console import Console  # noqa: PLC0415 - keeps `--help` fast

        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        if console.is_terminal:
            with console.status(f"{name} ..."):
                yield
        else:
            yield
        console.print(f"{name:<20}{time.perf_counter() - start:6.1f} s")

    def part(self, level: str, stage: str, share: float) -> None:
        """Show how much of a stage of a level is done, and about how long it will take yet."""
        if self.quiet:
            return
        now = time.perf_counter()
        since = self.started.setdefault(f"{level} {stage}", now)
        left = (now - since) * (1.0 - share) / share if now > since and share > 0.0 else None
        rest = "" if left is None or share >= 1.0 else f", about {left:.0f} s left"
        line = f"{level} {stage} {share:4.0%}{rest}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line:<60}" + ("\n" if share >= 1.0 else ""))
            sys.stderr.flush()
        elif share >= 1.0:
            say(line)

    def notices(self, notices: Sequence["Notice"]) -> None:
        """Show warnings, one line each; notes only when verbose."""
        for notice in notices:
            if self.quiet or (notice.severity == "info" and not self.verbose):
                continue
            where = f"{notice.level}: " if notice.level else ""
            say(f"{notice.severity}: {where}{notice.text}: {notice.remedy}")


def say(line: str) -> None:
    """Write one line on stderr, whatever line breaks a file name may hold.

    That it cannot be written, to a log on a full disk, changes no exit code.
    """
    with suppress(OSError):
        typer.echo(" ".join(line.splitlines()), err=True)


def hand_over(path: Path) -> None:
    """Write the result's path on stdout, byte for byte; a reader who left early is no error."""
    try:
        typer.echo(os.fsencode(path))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def outcome(progress: Progress) -> Iterator[None]:
    """Turn what is refused or interrupted into one line on stderr and an exit code."""
    try:
        yield
    except OutputError as error:
        _leave(UNWRITABLE, f"output: {error}", progress)
    except KyphoplanError as error:
        _leave(REFUSED, f"refused: {error}", progress)
    except KeyboardInterrupt:
        _leave(INTERRUPTED, "interrupted: nothing was written", progress)


def _leave(code: int, line: str, progress: Progress) -> NoReturn:
    if progress.verbose:
        traceback.print_exc()
    say(line)
    raise typer.Exit(code)


def parse_levels(text: str | None) -> tuple[Level, ...] | None:
    """Read level names, sorted from head to tail.

    Examples
    --------
    >>> parse_levels("L1,T12")
    (<Level.T12: 212>, <Level.L1: 301>)
    """
    if text is None:
        return None
    try:
        return tuple(sorted({Level.parse(name) for name in text.split(",")}))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_cannula(name: str) -> str:
    """Check the name of a cannula.

    Examples
    --------
    >>> parse_cannula("10g")
    '10G'
    """
    from kyphoplan.planning.cannulas import cannula_named  # noqa: PLC0415 - keeps `--help` fast

    try:
        return cannula_named(name).name
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
