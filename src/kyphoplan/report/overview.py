"""The picture of the whole spine, from the side and from the front, with the levels' names."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan.case import Measurements, Spine, VertebraMeasures, Volume
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame
from kyphoplan.report import canvas
from kyphoplan.report.plane import Lift, Plane, Window

MARGIN_MM = 18.0  # [mm] shown around the bodies
BEHIND_MM = 25.0  # [mm] shown in addition behind the bodies: canal and arches


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
    windows = [_window(plane, spine) for plane in (side, front)]
    windows[0] = _deeper(windows[0], BEHIND_MM)

    height = 8.0
    scale = (height * 0.9) / max(w.height_mm for w in windows)
    widths = [max(w.width_mm * scale, 2.2) for w in windows]
    figure = canvas.new_figure(sum(widths) + 0.3, height)
    left = 0.1
    for plane, window, width in zip((side, front), windows, widths, strict=True):
        total = figure.get_figwidth()
        axes = figure.add_axes((left / total, 0.04, width / total, 0.92))
        canvas.show(axes, window, _following(plane, spine), spine, ct)
        _write_names(axes, plane, spine, measurements)
        canvas.write_sides(axes, plane.words(frame))
        canvas.write_scale(axes, window)
        left += width + 0.1
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


def _window(plane: Plane, spine: Spine) -> Window:
    marked = [
        plane.project(v.frame.origin_mm)[None] for v in spine.vertebrae if v.frame is not None
    ]
    for vertebra in spine.vertebrae:
        if vertebra.body is not None:
            plates = (vertebra.body.superior, vertebra.body.inferior)
            marked += [plane.project(p.points_mm) for p in plates]
    return Window.around(np.concatenate(marked), MARGIN_MM)


def _deeper(window: Window, behind_mm: float) -> Window:
    return Window(
        u_low=window.u_low,
        u_high=window.u_high + behind_mm,
        v_low=window.v_low,
        v_high=window.v_high,
    )


def _write_names(axes: Axes, plane: Plane, spine: Spine, measurements: Measurements) -> None:
    """Write each level on its body: fractured ones in colour, with their grade."""
    rows: dict[object, VertebraMeasures] = {row.level: row for row in measurements.vertebrae}
    for vertebra in spine.vertebrae:
        if vertebra.frame is None:
            continue
        row = rows.get(vertebra.level)
        broken = row is not None and row.fractured
        at = plane.project(vertebra.frame.origin_mm)
        canvas.label(
            axes, at, str(vertebra.level), fontsize=12, fontweight="bold",
            color=canvas.ORANGE if broken else canvas.PAPER,
            alpha=0.7 if vertebra.cropped else 1.0, gid=f"level-{vertebra.level}",
        )  # fmt: skip
        note = _note(row, broken=broken, cropped=vertebra.cropped)
        if note:
            canvas.label(axes, at - np.array([0.0, 5.5]), note, fontsize=7, color=canvas.ORANGE)


def _note(row: VertebraMeasures | None, *, broken: bool, cropped: bool) -> str:
    if cropped:
        return "cut by the scan"
    if broken and row is not None and row.genant.grade is not None:
        return f"fracture, grade {int(row.genant.grade)}"
    return ""
