"""The pictures of a plan: cannulas and balloons in the slices that hold them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan.case import Inflation, LevelPlan, Pedicle, Spine, Trajectory, Vertebra, Volume
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame, angle_deg, unit
from kyphoplan.report import canvas
from kyphoplan.report.plane import Plane, Window, sample
from kyphoplan.viewer.scene import colour_of
from kyphoplan.viewer.solids import balloon_core

BEHIND_MM = 25.0  # [mm] of each cannula drawn behind its entry into the bone
MARGIN_MM = 12.0  # [mm] shown around the body and the cannulas
ACROSS_HALF_MM = 17.0  # [mm] half the width of the picture across a cannula
WIDE_IN, GAP_IN = 9.0, 0.12  # [inch] both views of one cannula, white between them
HEAD_IN, NAME_IN, FOOT_IN = 0.3, 0.2, 0.24  # [inch] title, name of a view, line at the foot
OUTLINE_MM = 0.5  # [mm] steps of a bone's outline
ROUND = np.linspace(-np.pi / 2.0, np.pi / 2.0, 25)  # [rad] the round tip
TURN = np.linspace(0.0, 2.0 * np.pi, 73)  # [rad] once around


def draw_plan(spine: Spine, plan: LevelPlan, ct: Volume | None = None) -> Figure:
    """Draw all cannulas and balloons of a level in the one axial plane that fits them best.

    Raises
    ------
    NotFoundError
        If the level has no cannula or was not located.
    """
    frame = _frame(spine[plan.level])
    if not plan.trajectories:
        raise NotFoundError(f"level {plan.level}: no cannula planned: {plan.reason}")
    plane = axial_plane(frame, plan)
    window = _window(plane, spine[plan.level], plan.trajectories)
    height = 7.0 * window.height_mm / window.width_mm
    figure = canvas.new_figure(7.0, height + HEAD_IN + FOOT_IN)
    total = figure.get_figheight()
    axes = figure.add_axes((0.0, FOOT_IN / total, 1.0, height / total))
    canvas.show(axes, window, plane.lift, spine, ct)
    _draw_bone(axes, plane, window, spine[plan.level])
    _draw_canal(axes, plane, spine[plan.level])
    for inflation in _inflated(plan):
        _draw_balloon(axes, plane, inflation, plan)
    for trajectory in plan.trajectories:
        _draw_cannula(axes, plane, trajectory)
    _write_head(figure, f"{plan.level} axial, along the cannulas", _axial_text(frame, plane, plan))
    canvas.write_sides(axes, plane.words(frame))
    canvas.write_scale(axes, window)
    return figure


def draw_cannula(
    spine: Spine, plan: LevelPlan, trajectory: Trajectory, ct: Volume | None = None
) -> Figure:
    """Draw one cannula in the sagittal plane along it, and across it in the pedicle's isthmus.

    Both are seen as the scan is: from the patient's left, and from the front.

    Raises
    ------
    NotFoundError
        If the level was not located.
    """
    vertebra = spine[plan.level]
    frame = _frame(vertebra)
    along = sagittal_plane(frame, trajectory)
    window = _window(along, vertebra, (trajectory,))
    shape = window.width_mm / window.height_mm
    height = (WIDE_IN - GAP_IN) / (1.0 + shape)
    figure = canvas.new_figure(WIDE_IN, height + HEAD_IN + NAME_IN + FOOT_IN)
    foot, share = FOOT_IN / figure.get_figheight(), height / figure.get_figheight()
    axes = figure.add_axes((0.0, foot, shape * height / WIDE_IN, share))
    canvas.show(axes, window, along.lift, spine, ct)
    _draw_bone(axes, along, window, vertebra)
    for inflation in _inflated(plan):
        if inflation.side is trajectory.side:
            _draw_balloon(axes, along, inflation, plan)
    _draw_cannula(axes, along, trajectory)
    tilt = angle_deg(np.cross(along.up, along.right), frame.left)
    _name(axes, f"sagittal, along it (turned {min(tilt, 180.0 - tilt):.0f}° to the mid-line)")
    canvas.write_sides(axes, along.words(frame))
    canvas.write_scale(axes, window)
    across = figure.add_axes((1.0 - height / WIDE_IN, foot, height / WIDE_IN, share))
    _draw_across(across, spine, vertebra, trajectory, ct)
    _write_head(figure, f"{plan.level} {trajectory.side} cannula", _judgement(trajectory))
    return figure


def axial_plane(frame: Frame, plan: LevelPlan) -> Plane:
    """Return the plane nearest to axial that holds the cannulas' entries and tips best."""
    ends = np.stack([p for t in plan.trajectories for p in (t.entry_mm, t.target_mm)])
    centre = ends.mean(axis=0)
    normal = _flattest(frame, ends - centre)
    return Plane.facing(centre, towards=normal, up=-frame.posterior)


def sagittal_plane(frame: Frame, trajectory: Trajectory) -> Plane:
    """Return the plane through a cannula that stands upright in its vertebra, anterior left."""
    axis = _axis(trajectory)
    towards = np.cross(axis, frame.superior)  # to the patient's right: seen from the left
    middle = (trajectory.entry_mm + trajectory.target_mm) / 2.0
    return Plane.facing(middle, towards=towards, up=frame.superior)


def across_plane(frame: Frame, trajectory: Trajectory, pedicle: Pedicle | None) -> Plane:
    """Return the plane across a cannula at the pedicle's isthmus (its middle without one)."""
    axis = _axis(trajectory)
    at = trajectory.depth_mm / 2.0
    if pedicle is not None:
        at = float((pedicle.isthmus_mm - trajectory.entry_mm) @ axis)
    return Plane.facing(trajectory.entry_mm + at * axis, towards=-axis, up=frame.superior)


def cannula_outline(plane: Plane, trajectory: Trajectory) -> Array:
    """Return a judged cannula as it is seen on a plane [mm]: from its entry to past its tip."""
    t = trajectory
    return _capsule(plane, (t.entry_mm, t.target_mm), t.outer_diameter_mm, flat_start=True)


def balloon_outline(plane: Plane, inflation: Inflation) -> Array:
    """Return a balloon's outline as it is seen on a plane [mm]."""
    return _capsule(plane, balloon_core(inflation), inflation.diameter_mm, flat_start=False)


def _capsule(
    plane: Plane, ends_mm: tuple[Array, Array], diameter_mm: float, *, flat_start: bool
) -> Array:
    start, end = (plane.project(point) for point in ends_mm)
    along = unit(end - start)
    aside = np.array([-along[1], along[0]])
    arc = diameter_mm / 2.0 * (np.cos(ROUND)[:, None] * along + np.sin(ROUND)[:, None] * aside)
    begin = np.stack([arc[-1], arc[0]]) if flat_start else -arc
    ring = np.concatenate([start + begin, end + arc])
    return np.concatenate([ring, ring[:1]])


def _flattest(frame: Frame, offsets: Array) -> Array:
    """Return the cranial normal that keeps the offsets closest to the plane, near to axial.

    The tilt forward and sideways is found by least squares; one cannula alone tilts forward only.
    """
    local = offsets @ frame.axes.T
    slope, *_ = np.linalg.lstsq(local[:, :2], local[:, 2], rcond=0.05)
    return unit(frame.axes.T @ np.array([-slope[0], -slope[1], 1.0]))


def _inflated(plan: LevelPlan) -> list[Inflation]:
    return [inflation for inflation in plan.inflations if inflation.diameter_mm > 0.0]


def _frame(vertebra: Vertebra) -> Frame:
    if vertebra.frame is None:
        raise NotFoundError(f"level {vertebra.level}: not located ({vertebra.reason}): no picture")
    return vertebra.frame


def _axis(trajectory: Trajectory) -> Array:
    return unit(trajectory.target_mm - trajectory.entry_mm)


def _window(plane: Plane, vertebra: Vertebra, trajectories: tuple[Trajectory, ...]) -> Window:
    marks = [t.target_mm[None] for t in trajectories]
    marks += [(t.entry_mm - 0.6 * BEHIND_MM * _axis(t))[None] for t in trajectories]
    if vertebra.body is not None:
        marks += [vertebra.body.superior.points_mm, vertebra.body.inferior.points_mm]
    return Window.around(plane.project(np.concatenate(marks)), MARGIN_MM)


def _draw_cannula(axes: Axes, plane: Plane, trajectory: Trajectory) -> None:
    colour = colour_of(trajectory)
    axes.plot(
        *cannula_outline(plane, trajectory).T,
        color=colour,
        lw=1.8,
        gid=f"capsule-{trajectory.side}",
    )
    entry, tip = plane.project(trajectory.entry_mm), plane.project(trajectory.target_mm)
    behind = plane.project(trajectory.entry_mm - BEHIND_MM * _axis(trajectory))
    axes.plot(*np.stack([behind, entry]).T, color=colour, lw=1.2, ls=(0, (4, 3)))
    axes.plot(*np.stack([entry, tip]).T, color=colour, lw=0.7, gid=f"axis-{trajectory.side}")


def _draw_balloon(axes: Axes, plane: Plane, inflation: Inflation, plan: LevelPlan) -> None:
    own = [t for t in plan.trajectories if t.side is inflation.side]
    colour = colour_of(own[0]) if own and inflation.accepted else canvas.VERMILION
    ring = balloon_outline(plane, inflation)
    axes.fill(*ring.T, facecolor=colour, alpha=0.22, edgecolor="none")
    axes.plot(*ring.T, color=colour, lw=1.2, ls=":", gid=f"balloon-{inflation.side}")


def _draw_bone(axes: Axes, plane: Plane, window: Window, vertebra: Vertebra) -> None:
    """Draw where the plane cuts the labelled bone of the vertebra."""
    if vertebra.surface is None:
        return
    u, v = window.grid(OUTLINE_MM)
    outside = sample(vertebra.surface, plane.lift(u, v))
    if np.nanmin(outside) < 0.0 < np.nanmax(outside):
        axes.contour(u, v, outside, [0.0], colors=canvas.PAPER, linewidths=0.8, linestyles="--")


def _draw_canal(axes: Axes, plane: Plane, vertebra: Vertebra) -> None:
    if vertebra.canal is None:
        return
    ring = plane.project(vertebra.canal.outline_mm)
    axes.plot(*np.concatenate([ring, ring[:1]]).T, color=canvas.PURPLE, lw=1.2, gid="canal")
    canvas.label(axes, ring.mean(axis=0), "canal", color=canvas.PURPLE)


def _draw_across(
    axes: Axes, spine: Spine, vertebra: Vertebra, trajectory: Trajectory, ct: Volume | None
) -> None:
    """Draw the cannula's circle in the pedicle's cross-section."""
    frame = _frame(vertebra)
    pedicle = next((p for p in vertebra.pedicles if p.side is trajectory.side), None)
    plane, half = across_plane(frame, trajectory, pedicle), ACROSS_HALF_MM
    window = Window(u_low=-half, u_high=half, v_low=-half, v_high=half)
    canvas.show(axes, window, plane.lift, spine, ct)
    if pedicle is not None:
        ring = plane.project(pedicle.outline_mm)
        axes.plot(*np.concatenate([ring, ring[:1]]).T, color=canvas.PAPER, lw=1.0, ls="--")
    radius = trajectory.outer_diameter_mm / 2.0
    circle = radius * np.stack([np.cos(TURN), np.sin(TURN)])
    axes.plot(*circle, color=colour_of(trajectory), lw=1.8, gid=f"across-{trajectory.side}")
    where = "at the pedicle's narrowest place" if pedicle is not None else "at its middle"
    _name(axes, f"across it, {where}")
    canvas.write_sides(axes, plane.words(frame))
    canvas.write_scale(axes, window)


def _name(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=8.5, color=canvas.INK, pad=3, parse_math=False)


def _write_head(figure: Figure, title: str, text: str) -> None:
    height = figure.get_figheight()
    figure.text(0.01, 1 - 0.06 / height, title, fontsize=10, fontweight="bold", va="top")
    figure.text(0.99, 1 - 0.07 / height, text, fontsize=8, va="top", ha="right", parse_math=False)


def _axial_text(frame: Frame, plane: Plane, plan: LevelPlan) -> str:
    sight = np.cross(plane.up, plane.right)
    ends = np.stack([p for t in plan.trajectories for p in (t.entry_mm, t.target_mm)])
    off = float(np.abs((ends - plane.origin_mm) @ sight).max())
    tilt = angle_deg(sight, frame.superior)
    return f"tilted {min(tilt, 180.0 - tilt):.0f}° · axes within {off:.1f} mm of this plane"


def _judgement(trajectory: Trajectory) -> str:
    verdict = f"grade {trajectory.grades}" if trajectory.accepted else "refused"
    medial = canvas.shown(trajectory.clearance.medial)
    return f"{verdict} · medial clearance {medial}"
