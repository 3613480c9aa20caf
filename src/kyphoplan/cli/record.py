"""The record of a run, ``manifest.json``, from which `rerun` can repeat it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kyphoplan.cli.console import Progress

if TYPE_CHECKING:
    from kyphoplan.case import Notice


def write_record(
    working: Path,
    progress: Progress,
    command: str,
    inputs: Mapping[str, Path | None],
    parameters: Mapping[str, Any],
    notices: "Sequence[Notice]",
    *,
    level_names: str = "",
) -> None:
    """Write ``manifest.json`` into a working folder, as the last of its files.

    Parameters
    ----------
    command : name of the command, as it is typed.
    inputs, parameters : the arguments of the command's function, by their names.
    level_names : how it is known which vertebra is which.
    """
    from kyphoplan.io import write_json  # noqa: PLC0415 - keeps `--help` fast
    from kyphoplan.io.manifest import manifest  # noqa: PLC0415

    given = {role: path for role, path in inputs.items() if path is not None}
    record = manifest(
        given,
        parameters,
        progress.timings_s,
        notices,
        level_names=level_names,
        command=command,
    )
    write_json(working / "manifest.json", record)
