"""The pictures across: the pedicles at their isthmus, and the canal at its narrowest place."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan.case import Level, Measurements, Pedicle, Spine, VertebraMeasures, Volume
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame
from kyphoplan.report import canvas
from kyphoplan.report.plane import Plane, Window

PEDICLE_HALF_MM = 17.0  # [mm] half the width of a pedicle picture
CANAL_HALF_MM = 34.0  # [mm] half the width of the axial picture
CANAL_BEHIND_MM, CANAL_FRONT_MM = 30.0, 48.0  # [mm] shown behind and before the canal's centre


def draw_pedicles(
    spine: Spine, measurements: Measurements, level: Level, ct: Volume | None = None
) -> Figure:
    """Draw both pedicles of a vertebra, each cut across its own axis at its narrowest place.

    Seen from the front: the patient's right pedicle is on the picture's left.

    Raises
    ------
    NotFoundError
        If neither pedicle was located.
    """
    vertebra, row = spine[level], measurements[level]
    if not vertebra.pedicles or vertebra.frame is None:
        raise NotFoundError(f"level {level}: no pedicle located ({vertebra.reason}): no picture")
    figure = canvas.new_figure(8.0, 4.4)
    pair = (("Right", vertebra.right_pedicle), ("Left", vertebra.left_pedicle))
    for column, (side, pedicle) in enumerate(pair):
        axes = figure.add_axes((0.01 + 0.495 * column, 0.045, 0.485, 0.88))
        title = f"{level} {side.lower()} pedicle"
        if pedicle is None:
            axes.axis("off")
            axes.text(0.5, 0.5, f"{title}\nnot located", ha="center", transform=axes.transAxes)
            continue
        _draw_pedicle(axes, spine, vertebra.frame, pedicle, ct)
        axes.set_title(title, fontsize=10, fontweight="bold", color=canvas.INK)
        _write_diameters(axes, row, pedicle)
    return figure


def draw_canal(
    spine: Spine, measurements: Measurements, level: Level, ct: Volume | None = None
) -> Figure:
    """Draw the canal of a vertebra, cut across at its narrowest place; seen from the feet.

    Raises
    ------
    NotFoundError
        If the canal was not located.
    """
    vertebra, row = spine[level], measurements[level]
    if vertebra.canal is None or vertebra.frame is None:
        raise NotFoundError(f"level {level}: canal not located ({vertebra.reason}): no picture")
    canal, frame = vertebra.canal, vertebra.frame
    plane = Plane.facing(canal.centre_mm, towards=canal.axis, up=-frame.posterior)
    window = Window(
        u_low=-CANAL_HALF_MM, u_high=CANAL_HALF_MM, v_low=-CANAL_BEHIND_MM, v_high=CANAL_FRONT_MM
    )
    figure = canvas.new_figure(5.4, 7.1)
    axes = figure.add_axes((0.01, 0.04, 0.98, 0.865))
    canvas.show(axes, window, plane.lift, spine, ct)
    ring = _closed(plane.project(canal.outline_mm))
    axes.plot(*ring.T, color=canvas.SKY, lw=1.8, gid="canal")
    title = f"{level} canal at its narrowest place"
    figure.text(0.02, 0.985, title, fontsize=10, fontweight="bold", color=canvas.INK, va="top")
    figure.text(0.02, 0.955, _canal_text(row), fontsize=8.5, color=canvas.INK, va="top")
    _write_area(axes, ring, row)
    canvas.write_sides(axes, plane.words(frame))
    canvas.write_scale(axes, window)
    return figure


def pedicle_plane(frame: Frame, pedicle: Pedicle) -> Plane:
    """Return the plane across a pedicle at its isthmus, seen from the front."""
    return Plane.facing(pedicle.isthmus_mm, towards=-pedicle.axis, up=frame.superior)


def _draw_pedicle(
    axes: Axes, spine: Spine, frame: Frame, pedicle: Pedicle, ct: Volume | None
) -> None:
    plane, window = pedicle_plane(frame, pedicle), _square(PEDICLE_HALF_MM)
    canvas.show(axes, window, plane.lift, spine, ct)
    ring = _closed(plane.project(pedicle.outline_mm))
    axes.plot(*ring.T, color=canvas.SKY, lw=1.8, gid=f"pedicle-{pedicle.side}")
    canvas.write_sides(axes, plane.words(frame))
    canvas.write_scale(axes, window)


def _write_diameters(axes: Axes, row: VertebraMeasures, pedicle: Pedicle) -> None:
    """Draw width and height as dimension lines below and beside the outline."""
    width = getattr(row, f"{pedicle.side}_pedicle_width")
    height = getattr(row, f"{pedicle.side}_pedicle_height")
    style = {"arrowstyle": "<->", "color": canvas.YELLOW, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
    half = PEDICLE_HALF_MM
    if width.value is not None:
        reach, foot = width.value / 2.0, -0.5 * half
        axes.annotate("", (reach, foot), (-reach, foot), arrowprops=style)
    canvas.label(axes, (0.0, -0.62 * half), f"width {canvas.shown(width)}", color=canvas.YELLOW,
                 gid=f"width-{pedicle.side}")  # fmt: skip
    if height.value is not None:
        reach, aside = height.value / 2.0, -0.5 * half
        axes.annotate("", (aside, reach), (aside, -reach), arrowprops=style)
    canvas.label(axes, (0.0, 0.72 * half), f"height {canvas.shown(height)}", color=canvas.YELLOW,
                 gid=f"height-{pedicle.side}")  # fmt: skip


def _write_area(axes: Axes, ring: Array, row: VertebraMeasures) -> None:
    """Write the area inside the canal's outline."""
    if row.canal_area.value is not None:
        text = f"{row.canal_area.value:.0f} mm²"
        canvas.label(axes, ring.mean(axis=0), text, color=canvas.SKY, gid="canal-area")


def _canal_text(row: VertebraMeasures) -> str:
    return (
        f"area {canvas.shown(row.canal_area, 0)} · compromise "
        f"{canvas.shown(row.canal_compromise, 0)}\n"
        f"retropulsion {canvas.shown(row.retropulsion)} · seen from the feet"
    )


def _square(half_mm: float) -> Window:
    return Window(u_low=-half_mm, u_high=half_mm, v_low=-half_mm, v_high=half_mm)


def _closed(ring: Array) -> Array:
    return np.concatenate([ring, ring[:1]])
