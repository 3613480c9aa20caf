"""The program ``kyphoplan``: its commands, its version, and how it ends."""

import gc
import signal
import sys
import traceback
from types import FrameType, TracebackType
from typing import Annotated, NoReturn

import typer

from kyphoplan import __version__
from kyphoplan.cli import (
    assess,
    check_plan,
    inspect,
    measure,
    patient,
    phantom,
    rerun,
    run,
    simulate,
    strength,
    verify,
)
from kyphoplan.cli.console import INTERRUPTED, TERMINATED, say

app = typer.Typer(
    name="kyphoplan",
    help="From a spine CT to a measured fracture and a plan. Research and teaching only; "
    "not for diagnosis or treatment.",
    epilog="Example: kyphoplan run -i ct.nii.gz -s labels.nii.gz -o result. "
    "Exit codes: 0 ok, 1 internal error, 2 usage, 3 input refused, 4 nothing could be "
    "measured or a trajectory refused, 5 output not writable, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=measure.EXAMPLE)(measure.measure)
app.command(epilog=run.EXAMPLE)(run.run)
app.command(epilog=assess.EXAMPLE)(assess.assess)
app.add_typer(patient.app, name="patient")
app.command(epilog=check_plan.EXAMPLE)(check_plan.check_plan)
app.command(epilog=simulate.EXAMPLE)(simulate.simulate)
app.command(epilog=strength.EXAMPLE)(strength.strength)
app.command(epilog=inspect.EXAMPLE)(inspect.inspect)
app.command(epilog=phantom.EXAMPLE)(phantom.phantom)
app.command(epilog=verify.EXAMPLE)(verify.verify)
app.command(epilog=rerun.EXAMPLE)(rerun.rerun)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kyphoplan {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version),
]


@app.callback()
def _options(version: Version = False) -> None:
    pass


def main() -> None:
    """Run the program."""
    sys.excepthook = _internal_error
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell ignores it
    signal.signal(signal.SIGTERM, _terminate)
    try:
        typer.main.get_command(app)(prog_name="kyphoplan")
    except KeyboardInterrupt:
        say("interrupted: nothing was written")
        raise SystemExit(INTERRUPTED) from None
    finally:
        gc.freeze()  # the process ends: to search all its objects for cycles would take seconds
        if _terminations:
            raise SystemExit(TERMINATED)


_terminations: list[int] = []  # signals that asked to end; a compiler's callback may swallow one


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    if not _terminations:
        say("terminated: nothing was written")
    _terminations.append(number)
    raise SystemExit(TERMINATED)


def _internal_error(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    """Say in one line what nobody foresaw; Python then leaves with exit code 1."""
    if {"-v", "--verbose"} & set(sys.argv):
        traceback.print_exception(kind, error, where)
    say(f"internal error: {kind.__name__}: {error}: run it with -v and report what it says")
