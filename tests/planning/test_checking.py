"""A surgeon's own way is judged by the same rules; a plan does not depend on pose or storage."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import (
    Approach,
    GertzbeinRobbins,
    LabelMap,
    Level,
    LevelPlan,
    Plan,
    Side,
    Spine,
    Trajectory,
    Vertebra,
    Volume,
)
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame, rotation
from kyphoplan.io import read_labels
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Collapse, Phantom, scan
from kyphoplan.planning import AimingError, Cannula, check, plan
from kyphoplan.planning.cannulas import cannula_named
from kyphoplan.planning.levels import find_trajectories
from kyphoplan.planning.room import sampled

L1, L2 = Level.L1, Level.L2
MIRROR = np.diag([-1.0, 1.0, 1.0])
SAME = 1e-4  # [mm], [deg]: the surface is stored in single precision


@cache
def labels() -> LabelMap:
    """L1, broken, above L2; the left pedicles narrower; slightly tilted."""
    broken = Collapse(level=L1, anterior_loss=0.35, middle_loss=0.2, retropulsion_mm=3.0)
    phantom = Phantom(levels=(L1, L2), collapses=(broken,), left_pedicle_scale=0.9)
    return scan(phantom, spacing_mm=(1.5, 1.5, 1.5), tilt_deg=(7.0, -5.0, 4.0)).labels


def planned(of: LabelMap) -> tuple[Spine, Plan]:
    spine = locate(of)
    return spine, plan(spine, measure(spine), levels=(L1,))


@cache
def usual() -> tuple[Spine, Plan]:
    """Plan the phantom as it is scanned."""
    return planned(labels())


def changed(axes: tuple[int, ...], flips: tuple[int, ...]) -> LabelMap:
    """Store the labels in another order."""
    v = labels().volume
    voxels, affine = v.voxels.transpose(axes), v.affine.copy()
    affine[:3, :3] = affine[:3, list(axes)]
    for axis in flips:
        voxels = np.flip(voxels, axis)
        affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
        affine[:3, axis] *= -1.0
    return replace(labels(), volume=Volume(np.ascontiguousarray(voxels), affine))


def points_moved(noun: Any, matrix: Array, shift: Array) -> Any:
    """Move all points (``_mm``) and directions of a noun and of the nouns in it."""
    if noun is None or not is_dataclass(noun) or isinstance(noun, type):
        return noun
    changes: dict[str, Any] = {}
    for field in fields(noun):
        value = getattr(noun, field.name)
        if is_dataclass(value):
            changes[field.name] = points_moved(value, matrix, shift)
        elif field.name in ("axis", "normal"):
            changes[field.name] = value @ matrix.T
        elif isinstance(value, np.ndarray) and field.name != "axes":
            changes[field.name] = value @ matrix.T + shift
    return replace(noun, **changes)


def placed(volume: Volume, matrix: Array, shift: Array) -> Volume:
    """Move a volume; mirrored, its first axis is turned round to run to the left again."""
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = matrix @ volume.affine[:3, :3], volume.affine[:3, 3]
    affine[:3, 3] = matrix @ volume.affine[:3, 3] + shift
    voxels = volume.voxels
    if np.linalg.det(matrix) < 0:
        affine[:3, 3] += affine[:3, 0] * (volume.shape[0] - 1)
        affine[:3, 0] *= -1.0
        voxels = voxels[::-1]
    return Volume(voxels, affine)


def moved(vertebra: Vertebra, matrix: Array, shift: Array) -> Vertebra:
    """Move one vertebra; mirrored, left is right."""
    assert vertebra.frame is not None
    assert vertebra.parts is not None
    assert vertebra.surface is not None
    hand = np.sign(np.linalg.det(matrix))
    axes = vertebra.frame.axes @ matrix.T * np.array([[hand], [1.0], [1.0]])
    sides = vertebra.left_pedicle, vertebra.right_pedicle
    left, right = (
        points_moved(pedicle, matrix, shift) for pedicle in (sides if hand > 0 else sides[::-1])
    )
    return replace(
        vertebra,
        frame=Frame(origin_mm=vertebra.frame.origin_mm @ matrix.T + shift, axes=axes),
        parts=placed(vertebra.parts, matrix, shift),
        surface=placed(vertebra.surface, matrix, shift),
        body=points_moved(vertebra.body, matrix, shift),
        canal=points_moved(vertebra.canal, matrix, shift),
        left_pedicle=left,
        right_pedicle=right,
    )


def found_when_moved(matrix: Array, shift: Array) -> LevelPlan:
    """Plan the moved spine."""
    spine = usual()[0]
    other = replace(spine, vertebrae=tuple(moved(v, matrix, shift) for v in spine.vertebrae))
    return find_trajectories(other, L1, cannula_named("10G"), AimingError())


def figures(way: Trajectory) -> Array:
    """All numbers of a trajectory that do not depend on the pose."""
    walls = ("medial", "lateral", "superior", "inferior", "anterior")
    clear = [getattr(way.clearance, wall).value for wall in walls]
    return np.array([*clear, way.axial_angle_deg, way.sagittal_angle_deg, way.depth_mm])


def level_of(found: Plan) -> LevelPlan:
    return found.levels[0]


def test_both_pedicles_of_a_broken_l1_are_planned() -> None:
    level = level_of(usual()[1])
    assert level.approach is Approach.BIPEDICULAR
    assert [way.side for way in level.trajectories] == [Side.LEFT, Side.RIGHT]
    assert all(way.accepted and way.reason == "" for way in level.trajectories)


def test_checking_a_plan_gives_the_same_verdicts() -> None:
    spine, found = usual()
    again = check(found, spine)
    for a, b in zip(level_of(found).trajectories, level_of(again).trajectories, strict=True):
        np.testing.assert_allclose(figures(a), figures(b), atol=1e-9)
        assert (a.grade, a.accepted, a.breach_probability) == (
            b.grade,
            b.accepted,
            b.breach_probability,
        )


def shifted(found: Plan, by: Array) -> Plan:
    """Move every cannula by the same vector [mm, LPS]; ``by`` has one row per trajectory."""
    level = level_of(found)
    ways = tuple(
        replace(way, entry_mm=way.entry_mm + step, target_mm=way.target_mm + step)
        for way, step in zip(level.trajectories, by, strict=True)
    )
    return replace(found, levels=(replace(level, trajectories=ways),))


def inwards(spine: Spine) -> Array:
    """Towards the mid-line for each side (2, 3)."""
    frame = spine[L1].frame
    assert frame is not None
    return np.stack([-frame.left, frame.left])


def test_five_millimetres_into_the_canal_are_refused() -> None:
    spine, found = usual()
    for way in level_of(check(shifted(found, 5.0 * inwards(spine)), spine)).trajectories:
        assert not way.accepted
        assert "canal" in way.reason or "medial" in way.reason
        assert way.clearance.medial.value is not None
        assert way.clearance.medial.value < 0.0
        assert way.breach_probability.value is not None
        assert way.breach_probability.value > 0.5


def test_all_grades_that_the_interval_of_the_clearance_reaches_are_named() -> None:
    spine, found = usual()
    way = level_of(found).trajectories[0]
    assert (way.grades, way.possible) == ("A", (GertzbeinRobbins.A,))
    lateral = way.clearance.lateral.value
    assert lateral is not None
    near = level_of(check(shifted(found, (0.2 - lateral) * inwards(spine)), spine)).trajectories[0]
    assert near.clearance.lateral.value == pytest.approx(0.2, abs=0.3)
    assert near.grades == "A or B"


@pytest.mark.parametrize(("way_mm", "word"), [(-6.0, "lateral|leaves|pass"), (12.0, "canal|side")])
def test_a_way_beside_the_pedicle_is_refused(way_mm: float, word: str) -> None:
    spine, found = usual()
    for way in level_of(check(shifted(found, way_mm * inwards(spine)), spine)).trajectories:
        assert not way.accepted
        assert any(part in way.reason for part in word.split("|"))


def test_a_tip_too_far_forward_is_refused() -> None:
    spine, found = usual()
    level = level_of(found)
    ways = tuple(
        replace(
            way,
            target_mm=way.target_mm + 7.0 * (way.target_mm - way.entry_mm) / way.depth_mm,
        )
        for way in level.trajectories
    )
    edited = replace(found, levels=(replace(level, trajectories=ways),))
    for way in level_of(check(edited, spine)).trajectories:
        assert not way.accepted


def test_sides_exchanged_are_refused() -> None:
    spine, found = usual()
    level = level_of(found)
    left, right = level.trajectories
    ways = (replace(left, side=Side.RIGHT), replace(right, side=Side.LEFT))
    edited = replace(found, levels=(replace(level, trajectories=ways),))
    assert not any(way.accepted for way in level_of(check(edited, spine)).trajectories)


def test_a_cannula_too_thick_for_the_pedicle_is_refused_with_the_reason() -> None:
    spine, _ = usual()
    thick = Cannula(name="own", outer_diameter_mm=7.9)
    level = level_of(plan(spine, measure(spine), levels=(L1,), cannula=thick))
    assert level.approach is Approach.NONE
    assert "too narrow" in level.reason
    assert level.trajectories == ()


def of_width(needed_mm: float) -> tuple[LevelPlan, list[str]]:
    """Plan L1 with a cannula that, with its margins, needs so much; and the notices' codes."""
    spine, _ = usual()
    own = Cannula(name="own", outer_diameter_mm=needed_mm - 2.0)
    found = plan(spine, measure(spine), levels=(L1,), cannula=own)
    return level_of(found), [notice.code for notice in found.notices]


def test_a_pedicle_is_too_narrow_only_where_its_whole_interval_is() -> None:
    spine, _ = usual()
    left = spine[L1].pedicles[0].width
    beyond, _ = of_width(left.high + 0.05)
    assert any(text.startswith("left: pedicle too narrow") for text in beyond.refused)
    doubtful, codes = of_width(left.value + 0.05)
    reason = next((text for text in doubtful.refused if text.startswith("left")), "")
    used = any(way.side is Side.LEFT for way in doubtful.trajectories)
    assert used or "pedicle may be too narrow" in reason
    assert used == ("pedicle_may_be_narrow" in codes)
    _, codes = of_width(left.value - 0.05)
    assert "pedicle_may_be_narrow" not in codes


def test_a_level_that_is_not_there_is_not_found() -> None:
    spine, _ = usual()
    with pytest.raises(NotFoundError):
        plan(spine, measure(spine), levels=(Level.T5,))


def test_a_vertebra_cut_by_the_field_of_view_is_refused_as_such() -> None:
    volume = labels().volume
    top = np.argwhere(volume.voxels == labels().value_of(L2))[:, 2].min()
    cut = volume.cropped((0, 0, 0), (*volume.shape[:2], int(top) + 45))
    spine = locate(replace(labels(), volume=cut))
    cropped = [v.level for v in spine.vertebrae if v.cropped]
    assert cropped
    for level in plan(spine, measure(spine), levels=tuple(cropped)).levels:
        assert level.approach is Approach.NONE
        assert "cropped" in level.reason


@pytest.mark.parametrize(("axes", "flips"), [((2, 0, 1), (0, 2)), ((1, 0, 2), (1,))])
def test_the_storage_order_changes_nothing(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    again = planned(changed(axes, flips))[1]
    for a, b in zip(level_of(usual()[1]).trajectories, level_of(again).trajectories, strict=True):
        np.testing.assert_array_equal(a.entry_mm, b.entry_mm)
        np.testing.assert_array_equal(figures(a), figures(b))


OBLIQUE = rotation([3, -2, 1], 77.7), np.array([210.3, -80.9, 1203.7])
PRONE = rotation([0, 0, 1], 180.0), np.zeros(3)


def from_moved_labels(matrix: Array, shift: Array) -> LevelPlan:
    """Plan from the label map placed elsewhere; mirrored, its voxels run the other way."""
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = matrix, shift
    volume = labels().volume
    again = replace(labels(), volume=Volume(volume.voxels, motion @ volume.affine))
    return level_of(planned(again)[1])


@pytest.mark.parametrize(
    ("found", "motion"),
    [(found_when_moved, PRONE), (found_when_moved, OBLIQUE), (from_moved_labels, OBLIQUE)],
    ids=["spine-prone", "spine-oblique", "labels-oblique"],
)
def test_the_plan_moves_with_the_spine(
    found: Callable[[Array, Array], LevelPlan], motion: tuple[Array, Array]
) -> None:
    matrix, shift = motion
    for a, b in zip(
        level_of(usual()[1]).trajectories, found(matrix, shift).trajectories, strict=True
    ):
        np.testing.assert_allclose(b.entry_mm, a.entry_mm @ matrix.T + shift, atol=SAME)
        np.testing.assert_allclose(b.target_mm, a.target_mm @ matrix.T + shift, atol=SAME)
        np.testing.assert_allclose(figures(a), figures(b), atol=SAME)


@pytest.mark.parametrize("found", [found_when_moved, from_moved_labels], ids=["spine", "labels"])
def test_a_mirrored_spine_has_the_mirrored_plan(
    found: Callable[[Array, Array], LevelPlan],
) -> None:
    left, right = level_of(usual()[1]).trajectories
    other = found(MIRROR, np.zeros(3)).trajectories
    for a, b in ((left, other[1]), (right, other[0])):
        np.testing.assert_allclose(a.target_mm @ MIRROR, b.target_mm, atol=SAME)
        np.testing.assert_allclose(figures(a), figures(b), atol=SAME)


def test_a_way_that_is_too_often_misplaced_is_refused_with_the_chance() -> None:
    spine, found = usual()
    shaky = AimingError(entry_sd_mm=4.0, direction_sd_deg=6.0)
    for way in level_of(check(found, spine, aiming=shaky)).trajectories:
        assert not way.accepted
        assert "not safely reachable" in way.reason
        assert "2 mm or more" in way.reason


def test_a_larger_aiming_error_is_answered_by_a_larger_chance() -> None:
    spine, found = usual()
    rough = check(found, spine, aiming=AimingError(entry_sd_mm=2.0, direction_sd_deg=4.0))
    for a, b in zip(level_of(found).trajectories, level_of(rough).trajectories, strict=True):
        assert (b.breach_probability.value or 0.0) > (a.breach_probability.value or 0.0)


@pytest.mark.slow
def test_both_pedicles_of_a_real_fracture_are_planned(shared: Path) -> None:
    spine = locate(read_labels(shared / "data/verse012-ct-L1fx/sub-verse012_seg-vert_msk.nii.gz"))
    level = level_of(plan(spine, measure(spine), levels=(L1,)))
    assert level.approach is Approach.BIPEDICULAR
    for way in level.trajectories:
        assert way.accepted
        assert way.clearance.medial.low is not None
        assert way.clearance.medial.low > 0.0


def test_the_room_sees_the_bone_where_it_is_although_its_grid_is_turned() -> None:
    vertebra = usual()[0][L1]
    assert vertebra.frame is not None
    assert vertebra.surface is not None
    turned = replace(vertebra.frame, axes=vertebra.frame.axes @ rotation([1.0, 0.0, 0.0], 7.0).T)
    within = vertebra.surface.voxels[1:-1, 1:-1, 1:-1]  # at the border rounding decides
    nodes = np.argwhere(np.abs(within) < 3.0)[::97] + 1
    local = turned.to_local(vertebra.surface.to_patient(nodes))
    found = sampled(vertebra.surface, turned, local, 5.0)
    assert found == pytest.approx(vertebra.surface.voxels[tuple(nodes.T)], abs=1e-3)
