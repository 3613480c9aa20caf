"""``kyphoplan inspect``: what the gate says of an input, without computing anything."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.cli.console import REFUSED, Progress, Verbose, outcome, say
from kyphoplan.cli.options import Orientation, Scheme, Series

if TYPE_CHECKING:
    from kyphoplan.io.gate import Examined

EXAMPLE = "Example: kyphoplan inspect --json ct.nii.gz"

Input = Annotated[
    Path, typer.Argument(metavar="PATH", help="A CT or a label map: a file or a folder.")
]
AsLabels = Annotated[bool, typer.Option("--labels", help="It is a label map, not a CT.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def inspect(
    path: Input,
    labels: AsLabels = False,
    series: Series = None,
    label_scheme: Scheme = None,
    assume_orientation: Orientation = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Say whether an input is accepted, why not, and what is to be warned of.

    Reads by the same code as every other command. The exit code is 0, or 3 if it is refused.
    """
    with outcome(Progress(verbose=verbose)):
        from kyphoplan.io import gate  # noqa: PLC0415 - keeps `--help` fast

        found = gate.examine(
            path,
            labels=labels,
            series=series,
            scheme=label_scheme,
            assume_orientation=assume_orientation,
        )
    if as_json:
        data = found.to_json(path.name)
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _show(found)
    if found.reason is not None:
        say(f"refused: {found.reason['text']}")
        raise typer.Exit(REFUSED)


def _show(found: "Examined") -> None:
    """Print the verdict and what is known, one thing a line."""
    typer.echo(f"verdict      {found.verdict}")
    if found.reason is not None:
        typer.echo(f"reason       {found.reason['code']}")
    for name, value in found.geometry.items():
        if name != "affine_lps_mm":
            told = " x ".join(f"{n:g}" for n in value) if isinstance(value, list) else value
            typer.echo(f"{name:<13}{told}")
    for row in found.geometry.get("affine_lps_mm", ())[:3]:
        typer.echo(f"{'affine [mm]':<13}" + " ".join(f"{number:10.4f}" for number in row))
    for one in found.series:
        typer.echo(
            f"series       {one['name']}: {one['slices']} slices, {one['SeriesDescription']}"
        )
    for name in ("scheme", "basis"):
        if name in found.labels:
            typer.echo(f"{name:<13}{found.labels[name]}")
    if found.labels:
        typer.echo(f"levels       {', '.join(found.labels['levels'].values())}")
    for notice in found.notices:
        where = f"{notice.level}: " if notice.level else ""
        typer.echo(f"{notice.severity:<13}{notice.code}: {where}{notice.text}: {notice.remedy}")
