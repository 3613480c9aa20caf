"""The picture of the whole spine, from the side and from the front, with the levels' names."""

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan.case import Grade, Measurements, Spine, VertebraMeasures, Volume
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame
from kyphoplan.report import canvas
from kyphoplan.report.plane import Lift, Plane, Window

MARGIN_MM = 18.0  # [mm] shown around the bodies
TALLEST_IN, WIDEST_IN = 7.6, 9.0  # [inch] both views together
FOOT_IN, GAP_IN = 0.25, 0.1  # [inch] footer, white between the views
BEHIND_MM = 42.0  # [mm] shown in addition behind the bodies: canal and arches


def draw_overview(spine: Spine, measurements: Measurements, ct: Volume | None = None) -> Figure:
    """Draw a sagittal and a coronal view that follow the row of bodies, fractures marked.

    Raises
    ------
    NotFoundError
        If not one vertebra was located.
    """
    frame = spine_frame(spine)
    side = Plane.facing(frame.origin_mm, towards=-frame.left, up=frame.superior)
    front = Plane.facing(frame.origin_mm, towards=frame.posterior, up=frame.superior)
    windows = [_window(side, spine, BEHIND_MM), _window(front, spine, 0.0)]
    windows = _same_height(windows)

    scale = min(TALLEST_IN / windows[0].height_mm, WIDEST_IN / sum(w.width_mm for w in windows))
    widths = [w.width_mm * scale for w in windows]
    picture_in = windows[0].height_mm * scale
    total, height = sum(widths) + 3 * GAP_IN, picture_in + FOOT_IN + GAP_IN
    figure = canvas.new_figure(total, height)
    left = GAP_IN
    for plane, window, width in zip((side, front), windows, widths, strict=True):
        share = picture_in / height
        axes = figure.add_axes((left / total, FOOT_IN / height, width / total, share))
        canvas.show(axes, window, _following(plane, spine), spine, ct)
        _write_names(axes, plane, spine, measurements)
        canvas.write_sides(axes, plane.words(frame))
        canvas.write_scale(axes, window)
        left += width + GAP_IN
    return figure


def spine_frame(spine: Spine) -> Frame:
    """Return one frame for the whole scan: the mean of the located vertebrae's frames."""
    frames = [v.frame for v in spine.vertebrae if v.frame is not None]
    if not frames:
        raise NotFoundError("spine: no vertebra located: no overview can be drawn")
    origins = np.stack([f.origin_mm for f in frames])
    superior = np.sum([f.superior for f in frames], axis=0)
    if len(frames) > 1:
        superior = origins[0] - origins[-1]
    posterior = np.sum([f.posterior for f in frames], axis=0)
    return Frame.from_directions(origins.mean(axis=0), superior=superior, posterior=posterior)


def _following(plane: Plane, spine: Spine) -> Lift:
    """Return the curved surface through all body centres, which the plane sees in full."""
    centres = np.stack([v.frame.origin_mm for v in spine.vertebrae if v.frame is not None])
    height = plane.project(centres)[:, 1]
    sight = np.cross(plane.up, plane.right)
    depth = (centres - plane.origin_mm) @ sight
    order = np.argsort(height)

    def lift(u: Array, v: Array) -> Array:
        toward = np.interp(v, height[order], depth[order])
        return plane.lift(u, v) + toward[..., None] * sight

    return lift


def _window(plane: Plane, spine: Spine, behind_mm: float) -> Window:
    """Take in all bodies, and so much more on the picture's right."""
    marked = [
        plane.project(v.frame.origin_mm)[None] for v in spine.vertebrae if v.frame is not None
    ]
    for vertebra in spine.vertebrae:
        if vertebra.body is not None:
            plates = (vertebra.body.superior, vertebra.body.inferior)
            marked += [plane.project(p.points_mm) for p in plates]
    close = Window.around(np.concatenate(marked), MARGIN_MM)
    return replace(close, u_high=close.u_high + behind_mm)


def _same_height(windows: list[Window]) -> list[Window]:
    low, high = min(w.v_low for w in windows), max(w.v_high for w in windows)
    return [replace(w, v_low=low, v_high=high) for w in windows]


def _write_names(axes: Axes, plane: Plane, spine: Spine, measurements: Measurements) -> None:
    """Write each level on its body: fractured ones in colour, with their grade."""
    rows: dict[object, VertebraMeasures] = {row.level: row for row in measurements.vertebrae}
    for vertebra in spine.vertebrae:
        if vertebra.frame is None:
            continue
        row = rows.get(vertebra.level)
        note = "cut by the scan" if vertebra.cropped else grade_note(row)
        colour = canvas.ORANGE if note else canvas.PAPER
        colour = canvas.SILVER if vertebra.cropped else colour
        at = plane.project(vertebra.frame.origin_mm)
        canvas.label(
            axes, at, str(vertebra.level), fontsize=12, fontweight="bold", color=colour,
            gid=f"level-{vertebra.level}",
        )  # fmt: skip
        canvas.label(axes, at - np.array([0.0, 5.5]), note, fontsize=7, color=colour)


def grade_note(row: VertebraMeasures | None) -> str:
    """Say in words that a vertebra is fractured, or may be; empty if its height is kept."""
    if row is None or row.genant.grade is None:
        return ""
    possible = row.genant.possible or (row.genant.grade,)
    if max(possible) is Grade.NORMAL:
        return ""
    grades = " or ".join(str(int(grade)) for grade in possible)
    return f"fracture, grade {grades}" if row.fractured else f"grade {grades}"
