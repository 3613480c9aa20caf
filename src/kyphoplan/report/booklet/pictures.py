"""The patient's own pictures: the broken bone beside its neighbours, and each step of the plan."""

from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from kyphoplan.case import Inflation, Level, LevelPlan, Measurements, Spine, Trajectory, Vertebra
from kyphoplan.geometry import Array, unit
from kyphoplan.report.booklet.catalogue import Catalogue
from kyphoplan.report.booklet.drawing import Drawing
from kyphoplan.report.booklet.outline import bone_rings
from kyphoplan.report.cannulas import (
    axial_plane,
    balloon_outline,
    cannula_outline,
    sagittal_plane,
)
from kyphoplan.report.plane import Plane, Window
from kyphoplan.report.sagittal import expected_curves, mid_sagittal, neighbours
from kyphoplan.viewer.solids import balloon_core

SKIN_MM = 22.0  # [mm] of the way from the skin that is drawn behind the bone
MARGIN_MM = 9.0  # [mm] white around what is drawn; the words of the sides stand in it
BEHIND_MM = 76.0  # [mm] shown behind the bodies: nerve channel, arches, and their names
WORDS_MM = 27.0  # [mm] of that for the words
STEPS = ("needle", "balloon", "hollow", "cement")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPicture:
    """One step of the operation, seen from the side and from the feet."""

    step: str
    side: Markup
    across: Markup


def bone_picture(
    spine: Spine, measurements: Measurements, level: Level, words: Catalogue
) -> Markup | None:
    """Draw the broken bone from the side with its neighbours; None if it was not located."""
    vertebra = spine[level]
    if vertebra.body is None or vertebra.frame is None or vertebra.parts is None:
        return None
    plane = mid_sagittal(vertebra.frame)
    near = [v for v in neighbours(spine, level) if v.body is not None and v.parts is not None]
    window = _around(plane, near, behind_mm=BEHIND_MM)
    drawing = Drawing(f"{level}-bone", window)
    channel = _channel(plane, near)
    if channel is not None:
        drawing.area(channel, "nerves")
    for bone in near:
        _draw_bone(drawing, bone, plane, broken=bone is vertebra)
    curves = expected_curves(vertebra.frame, vertebra.body, measurements[level])
    if curves is not None:
        top, bottom = (plane.project(curve) for curve in curves)
        drawing.line(np.concatenate([top, bottom[::-1], top[:1]]), "before")
        drawing.pointer(
            words.text("pictures.before"), _beside(window, 0.9), top[int(0.6 * len(top))]
        )
    for bone in near:
        if bone.frame is not None:
            drawing.word(plane.project(bone.frame.origin_mm), str(bone.level))
    if channel is not None:
        drawing.pointer(words.text("pictures.channel"), _beside(window, 0.1), channel.mean(axis=0))
    drawing.sides(words.sides(plane.words(vertebra.frame)))
    return drawing.svg(words.text("pictures.bone_alt", bone=str(level)))


def step_pictures(spine: Spine, plan: LevelPlan, words: Catalogue) -> tuple[StepPicture, ...]:
    """Draw the steps of a level's plan; none without an accepted needle."""
    frame = spine[plan.level].frame
    needles = tuple(t for t in plan.trajectories if t.accepted)
    if frame is None or not needles:
        return ()
    sides = {t.side for t in needles}
    inflations = tuple(
        b for b in plan.inflations if b.accepted and b.side in sides and b.diameter_mm > 0.0
    )
    sound = replace(plan, trajectories=needles, inflations=inflations)
    first = replace(
        sound,
        trajectories=needles[:1],
        inflations=tuple(b for b in inflations if b.side is needles[0].side),
    )
    planes = {"side": sagittal_plane(frame, needles[0]), "across": axial_plane(frame, sound)}
    plans = {"side": first, "across": sound}
    windows = _alike(
        {view: _window(spine[plan.level], planes[view], plans[view]) for view in planes}
    )
    return tuple(
        StepPicture(
            step=step,
            **{
                view: _Panel(step, view, planes[view], windows[view]).draw(
                    spine, plans[view], words
                )
                for view in planes
            },
        )
        for step in STEPS
    )


@dataclass(frozen=True, slots=True)
class _Panel:
    """One panel: which step, from where it is seen, and on which plane."""

    step: str
    view: str
    plane: Plane
    window: Window

    def draw(self, spine: Spine, plan: LevelPlan, words: Catalogue) -> Markup:
        """Return the panel of a plan whose needles and balloons are all accepted."""
        vertebra, plane = spine[plan.level], self.plane
        drawing = Drawing(f"{plan.level}-{self.step}-{self.view}", self.window)
        if vertebra.canal is not None and self.view == "across":
            drawing.area(plane.project(vertebra.canal.outline_mm), "nerves")
        around = neighbours(spine, plan.level) if self.view == "side" else (vertebra,)
        for bone in around:
            _draw_bone(drawing, bone, plane, broken=bone is vertebra)
        balloons = () if self.step == "needle" else plan.inflations
        for inflation in balloons:
            drawing.area(balloon_outline(plane, inflation), self.step)
        for trajectory in plan.trajectories:
            own = [b for b in balloons if b.side is trajectory.side]
            _draw_needle(drawing, plane, trajectory, own)
        if vertebra.frame is not None:
            drawing.sides(words.sides(plane.words(vertebra.frame)))
        return drawing.svg(
            words.text(f"pictures.{self.step}_{self.view}_alt", bone=str(plan.level))
        )


def _window(vertebra: Vertebra, plane: Plane, plan: LevelPlan) -> Window:
    marks = [t.entry_mm - SKIN_MM * _axis(t) for t in plan.trajectories]
    return _around(plane, [vertebra], also=np.stack(marks))


def _alike(windows: dict[str, Window]) -> dict[str, Window]:
    """Widen the windows about their middles to one size, so that all is drawn to one scale."""
    width = max(w.width_mm for w in windows.values())
    height = max(w.height_mm for w in windows.values())
    return {view: _widened(w, width, height) for view, w in windows.items()}


def _widened(window: Window, width_mm: float, height_mm: float) -> Window:
    aside = (width_mm - window.width_mm) / 2.0
    above = (height_mm - window.height_mm) / 2.0
    return Window(
        u_low=window.u_low - aside,
        u_high=window.u_high + aside,
        v_low=window.v_low - above,
        v_high=window.v_high + above,
    )


def _draw_bone(drawing: Drawing, vertebra: Vertebra, plane: Plane, *, broken: bool) -> None:
    for ring in bone_rings(vertebra, plane, drawing.window, arch=True):
        drawing.area(ring, "bone")
    for ring in bone_rings(vertebra, plane, drawing.window, arch=False):
        drawing.area(ring, "broken" if broken else "bone")


def _draw_needle(
    drawing: Drawing, plane: Plane, trajectory: Trajectory, balloons: list[Inflation]
) -> None:
    """Draw the hollow needle with its way from the skin; it is drawn back behind its balloon."""
    behind = trajectory.entry_mm - SKIN_MM * _axis(trajectory)
    tip = trajectory.target_mm
    if balloons:
        axis = _axis(trajectory)
        start = balloon_core(balloons[0])[0] - 0.5 * balloons[0].diameter_mm * axis
        tip = trajectory.entry_mm + max(float((start - trajectory.entry_mm) @ axis), 0.0) * axis
    shown = replace(trajectory, entry_mm=behind, target_mm=tip)
    drawing.area(cannula_outline(plane, shown), "needle")
    drawing.line(plane.project(np.stack([behind, tip])), "path")


def _axis(trajectory: Trajectory) -> Array:
    return unit(trajectory.target_mm - trajectory.entry_mm)


def _around(
    plane: Plane, bones: list[Vertebra], *, behind_mm: float = 0.0, also: Array | None = None
) -> Window:
    """Return the window that holds the bodies, what else is drawn, and the words at the edges."""
    bodies = [b.body for b in bones if b.body is not None]
    marks = [plate.points_mm for b in bodies for plate in (b.superior, b.inferior)]
    marks += [wall for b in bodies for wall in (b.anterior_wall_mm, b.posterior_wall_mm)]
    marks += [] if also is None else [also]
    window = Window.around(plane.project(np.concatenate(marks)), MARGIN_MM)
    return replace(window, u_high=window.u_high + behind_mm)


def _beside(window: Window, share: float) -> Array:
    """Return a point for words behind the bones, at a share of the picture's height."""
    return np.array([window.u_high - WORDS_MM, window.v_low + share * window.height_mm])


def _channel(plane: Plane, bones: list[Vertebra]) -> Array | None:
    """Return the nerve channel from the side: along its centre line, as deep as it is there."""
    front, back = [], []
    for bone in reversed(bones):  # from the feet up, as each line runs
        if bone.canal is None:
            continue
        line = plane.project(bone.canal.line_mm)
        depth = np.ptp(plane.project(bone.canal.outline_mm)[:, 0]) / 2.0
        aside = np.array([depth, 0.0])
        front.append(line - aside)
        back.append(line + aside)
    if not front:
        return None
    return np.concatenate([*front, *(part[::-1] for part in reversed(back))])
