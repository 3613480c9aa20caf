"""The stages that write the patient's booklet, as page and on demand as PDF."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kyphoplan.cli.console import Progress

if TYPE_CHECKING:
    from kyphoplan.case import Measurements


def write_booklet(
    progress: Progress,
    working: Path,
    measured: "Measurements | None",
    inputs: Mapping[str, Path],
    **known: Any,
) -> None:
    """Write ``patient.html`` into the working folder.

    Parameters
    ----------
    inputs : the files that the booklet names by their check sums.
    known : what else is known: ``spine``, ``plan``, ``patient``, ``assessment``.
    """
    with progress.stage("booklet"):
        from kyphoplan.io.manifest import date_utc  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io.sealing import sha256  # noqa: PLC0415
        from kyphoplan.report import booklet  # noqa: PLC0415

        told = booklet.Told(
            measurements=measured,
            made_on=datetime.fromisoformat(date_utc()).date(),
            check_sums={role: sha256(path) for role, path in inputs.items()},
            **known,
        )
        booklet.write_booklet(working, told)


def print_booklet(progress: Progress, working: Path) -> None:
    """Write ``patient.pdf`` from ``patient.html``, with the stamp that ``manifest.json`` gives."""
    with progress.stage("booklet as PDF"):
        from kyphoplan.io.stamping import Stamp, stamped_page  # noqa: PLC0415 - fast `--help`
        from kyphoplan.report.booklet import write_booklet_pdf  # noqa: PLC0415

        record = json.loads((working / "manifest.json").read_text(encoding="utf-8"))
        page = (working / "patient.html").read_text(encoding="utf-8")
        write_booklet_pdf(stamped_page(page, Stamp.of(record)), working / "patient.pdf")
