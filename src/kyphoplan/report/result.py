"""The result folder: figures for programs, a page for people, and the pictures."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from kyphoplan import __version__
from kyphoplan.case import Level, Measurements, Spine, Vertebra, Volume
from kyphoplan.io import result_folder, write_json
from kyphoplan.report.overview import draw_overview
from kyphoplan.report.page import Picture, measurements_page
from kyphoplan.report.sagittal import draw_fracture
from kyphoplan.report.sections import draw_canal, draw_pedicles
from kyphoplan.report.tables import measurements_to_json
from kyphoplan.report.wording import INTENDED_USE

Draw = Callable[[Spine, Measurements, Level, Volume | None], Figure]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of picture of one level: its name, what it shows, and when it can be drawn."""

    name: str
    caption: str
    draw: Draw
    possible: Callable[[Vertebra], bool]


_KINDS = (
    _Kind(
        "sagittal",
        "Mid-sagittal plane: the six height points, endplate lines and expected outline",
        draw_fracture,
        lambda v: v.body is not None,
    ),
    _Kind(
        "canal",
        "Across the canal at its narrowest place",
        draw_canal,
        lambda v: v.canal is not None,
    ),
    _Kind(
        "pedicles",
        "Across each pedicle at its isthmus",
        draw_pedicles,
        lambda v: bool(v.pedicles),
    ),
)


def write_measurements(
    folder: str | Path,
    measurements: Measurements,
    spine: Spine,
    ct: Volume | None = None,
    *,
    levels: Sequence[Level] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write ``measurements.json``, ``measurements.html`` and ``figures/*.png`` to a folder.

    Parameters
    ----------
    levels : the vertebrae to be drawn; the fractured ones by default.
    overwrite : replace a result that is there already.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds anything already.
    """
    with result_folder(folder, overwrite=overwrite) as working:
        fill(working, measurements, spine, ct, levels=levels)
    return Path(folder)


def fill(
    working: Path,
    measurements: Measurements,
    spine: Spine,
    ct: Volume | None = None,
    *,
    levels: Sequence[Level] | None = None,
) -> None:
    """Write the files of a result into an existing folder, which `io.result_folder` gives."""
    data = measurements_to_json(measurements)
    pictures = draw_all(measurements, spine, ct, levels=levels)
    write_json(working / "measurements.json", data)
    page = measurements_page(data, pictures)
    (working / "measurements.html").write_text(page, encoding="utf-8")
    figures = working / "figures"
    figures.mkdir()
    for picture in pictures:
        (figures / f"{picture.name}.png").write_bytes(picture.png)


def draw_all(
    measurements: Measurements,
    spine: Spine,
    ct: Volume | None = None,
    *,
    levels: Sequence[Level] | None = None,
) -> tuple[Picture, ...]:
    """Draw the overview, and for each level all pictures that its anatomy allows."""
    chosen = [row.level for row in measurements.fractures] if levels is None else levels
    pictures = []
    if any(v.frame is not None for v in spine.vertebrae):
        png = png_of(draw_overview(spine, measurements, ct))
        caption = "All levels, from the side and from the front"
        pictures.append(Picture(name="overview", level=None, caption=caption, png=png))
    for vertebra in (spine[level] for level in chosen):
        for kind in _KINDS:
            if vertebra.frame is None or not kind.possible(vertebra):
                continue
            png = png_of(kind.draw(spine, measurements, vertebra.level, ct))
            name = f"{vertebra.level}-{kind.name}"
            level = str(vertebra.level)
            pictures.append(Picture(name=name, level=level, caption=kind.caption, png=png))
    return tuple(pictures)


def png_of(figure: Figure) -> bytes:
    """Return a figure as PNG, with the intended use in its metadata."""
    stream = io.BytesIO()
    about = {"Software": f"kyphoplan {__version__}", "Description": INTENDED_USE}
    figure.savefig(stream, format="png", metadata=about)
    return stream.getvalue()
