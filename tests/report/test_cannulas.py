"""The pictures of a plan show each cannula where it is."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from kyphoplan.case import LevelPlan, Plan, Side, Spine, Trajectory
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array
from kyphoplan.report import draw_cannula, draw_plan
from kyphoplan.report.cannulas import across_plane, axial_plane, sagittal_plane
from kyphoplan.report.plane import Plane, sample

from ..planned import level_plan, planned, refused_plan
from .drawn import drawn, every_text, side_words

SIDES = (Side.LEFT, Side.RIGHT)


def from_axis(points: Array, t: Trajectory) -> Array:
    along = t.target_mm - t.entry_mm
    share = np.clip((points - t.entry_mm) @ along / (along @ along), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - t.entry_mm - share[:, None] * along, axis=1))


def lifted(figure: Figure, gid: str, plane: Plane) -> Array:
    line = drawn(figure, gid)
    assert line is not None, gid
    return plane.lift(*line.T)


@pytest.fixture(scope="module", params=["phantom", "oblique"])
def case(request: pytest.FixtureRequest) -> tuple[Spine, LevelPlan]:
    """A phantom, and the hand-built spine that lies obliquely in the scanner."""
    if request.param == "phantom":
        return planned().spine, planned().plan.levels[0]
    spine: Spine = request.getfixturevalue("turned").spine
    return spine, level_plan(spine["L1"])


@pytest.mark.parametrize("side", SIDES)
def test_the_sagittal_outline_is_a_radius_from_the_cannulas_axis(
    case: tuple[Spine, LevelPlan], side: Side
) -> None:
    spine, plan = case
    t = next(t for t in plan.trajectories if t.side is side)
    frame = spine[plan.level].frame
    assert frame is not None
    figure = draw_cannula(spine, plan, t)
    outline = lifted(figure, f"capsule-{side}", sagittal_plane(frame, t))
    assert from_axis(outline, t) == pytest.approx(t.outer_diameter_mm / 2.0, abs=1e-6)
    ends = lifted(figure, f"axis-{side}", sagittal_plane(frame, t))
    assert np.allclose(ends, [t.entry_mm, t.target_mm])


@pytest.mark.parametrize("side", SIDES)
def test_the_circle_across_is_a_radius_around_the_cannula(
    case: tuple[Spine, LevelPlan], side: Side
) -> None:
    spine, plan = case
    t = next(t for t in plan.trajectories if t.side is side)
    vertebra = spine[plan.level]
    assert vertebra.frame is not None
    pedicle = vertebra.left_pedicle if side is Side.LEFT else vertebra.right_pedicle
    circle = lifted(
        draw_cannula(spine, plan, t),
        f"across-{side}",
        across_plane(vertebra.frame, t, pedicle),
    )
    assert from_axis(circle, t) == pytest.approx(t.outer_diameter_mm / 2.0, abs=1e-6)
    assert pedicle is not None
    assert np.linalg.norm(circle.mean(axis=0) - pedicle.isthmus_mm) < 3.0


def test_the_axial_plane_holds_both_cannulas_and_their_outlines(
    case: tuple[Spine, LevelPlan],
) -> None:
    spine, plan = case
    frame = spine[plan.level].frame
    assert frame is not None
    plane, figure = axial_plane(frame, plan), draw_plan(spine, plan)
    for t in plan.trajectories:
        outline = lifted(figure, f"capsule-{t.side}", plane)
        assert from_axis(outline, t) == pytest.approx(t.outer_diameter_mm / 2.0, abs=0.5)
    assert drawn(figure, "balloon-left") is not None


def test_the_bone_is_outlined_where_its_label_ends() -> None:
    spine, plan = planned().spine, planned().plan.levels[0]
    surface, frame = spine[plan.level].surface, spine[plan.level].frame
    assert surface is not None
    assert frame is not None
    t = plan.trajectories[0]
    figures = (
        (draw_plan(spine, plan), axial_plane(frame, plan)),
        (
            draw_cannula(spine, plan, t),
            sagittal_plane(frame, t),
        ),
    )
    for figure, plane in figures:
        (outline,) = [c for c in figure.axes[0].collections if isinstance(c, QuadContourSet)]
        points = np.concatenate([path.vertices for path in outline.get_paths()])
        assert len(points) > 100
        assert np.abs(sample(surface, plane.lift(*points.T))).max() < 0.5


def test_every_view_names_its_sides_in_the_patients_words(case: tuple[Spine, LevelPlan]) -> None:
    spine, plan = case
    axial = draw_plan(spine, plan)
    front = {"left": "Right", "right": "Left"}
    assert side_words(axial.axes[0]) == front | {"top": "Anterior", "bottom": "Posterior"}
    for t in plan.trajectories:
        along, across = draw_cannula(spine, plan, t).axes
        upright = {"top": "Superior", "bottom": "Inferior"}
        assert side_words(along) == upright | {"left": "Anterior", "right": "Posterior"}
        assert side_words(across) == upright | front


def test_the_left_cannula_is_drawn_on_the_side_called_left() -> None:
    figure = draw_plan(planned().spine, planned().plan.levels[0], planned().ct)
    left, right = drawn(figure, "capsule-left"), drawn(figure, "capsule-right")
    assert left is not None
    assert right is not None
    assert left[:, 0].mean() > right[:, 0].mean()


def test_one_cannula_alone_has_its_axial_plane_too() -> None:
    plan = planned().plan.levels[0]
    alone = replace(plan, trajectories=plan.trajectories[:1], inflations=plan.inflations[:1])
    figure = draw_plan(planned().spine, alone)
    assert any("tilted" in text for text in every_text(figure))


def test_a_level_without_cannula_has_no_picture() -> None:
    plan = Plan(levels=(refused_plan(planned().spine.levels[0]),), notices=())
    with pytest.raises(NotFoundError, match="no cannula planned"):
        draw_plan(planned().spine, plan.levels[0])
