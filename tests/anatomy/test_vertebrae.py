"""The anatomy is found from the anatomy: not from storage, pose, neighbours' names or luck."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kyphoplan.anatomy import locate
from kyphoplan.anatomy.pose import at_home
from kyphoplan.case import Level, Measure, Part, Spine, Vertebra, VertebraMeasures, Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array, angle_deg, rotation
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Collapse, Phantom, Scan, scan

from .moving import ORDERS, Order, different, figures, measured, placed, relabelled, stored

T12, L1, L2 = Level.T12, Level.L1, Level.L2
SAME = 1e-6  # [1] relative: what rounding may do
FRACTURE = Collapse(level=L1, anterior_loss=0.35, middle_loss=0.2, retropulsion_mm=3.0)
THREE = Phantom(levels=(T12, L1, L2), collapses=(FRACTURE,), texture_hu=25.0)  # as real bone
PLANE = rotation([0, 0, 1], 180.0)  # prone: turned about the long axis
FEET_FIRST = rotation([1, 0, 0], 180.0)
OTHER = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def pair() -> Scan:
    """T12 and a broken L1, the pedicles of different width, slightly tilted."""
    phantom = Phantom(levels=(T12, L1), collapses=(FRACTURE,), left_pedicle_scale=0.85)
    return scan(phantom, spacing_mm=(2.0, 2.0, 2.0), tilt_deg=(7.0, -5.0, 4.0))


@pytest.fixture(scope="module")
def plain(pair: Scan) -> dict[str, Any]:
    """All figures of the pair from its labels."""
    return figures(measured(pair.labels))


@pytest.fixture(scope="module")
def plain_ct(pair: Scan) -> dict[str, Any]:
    """All figures of the pair with its CT."""
    return figures(measured(pair.labels, pair.ct))


@pytest.fixture(scope="module")
def one() -> Scan:
    """L1 alone."""
    return scan(Phantom(levels=(L1,)), spacing_mm=(1.5, 1.5, 1.5))


@pytest.fixture(scope="module")
def three() -> Scan:
    """T12 to L2, L1 broken, at 1.5 mm."""
    return scan(THREE, spacing_mm=(1.5, 1.5, 1.5))


@pytest.mark.slow
def test_the_48_storage_orders_come_home_to_the_same_bits(pair: Scan) -> None:
    """All that follows computes with what `at_home` returns; the next test runs it wholly."""
    volume, _, home = at_home(pair.labels, None)
    for order in ORDERS:
        labels = relabelled(pair.labels, lambda v, order=order: stored(v, order))
        now, _, back = at_home(labels, None)
        assert np.array_equal(now.voxels, volume.voxels), order
        assert np.array_equal(now.affine, volume.affine), order
        assert np.array_equal(back.rotation, home.rotation), order
        assert np.array_equal(back.shift_mm, home.shift_mm), order


@pytest.mark.slow
@pytest.mark.parametrize("order", [ORDERS[8 * (k % 6) + k] for k in range(8)], ids=str)
def test_every_permutation_and_every_flip_gives_the_same_bits(
    pair: Scan, plain: dict[str, Any], order: Order
) -> None:
    labels = relabelled(pair.labels, lambda v: stored(v, order))
    assert figures(measured(labels)) == plain


@pytest.mark.soak
def test_the_48_storage_orders_give_the_same_bits(pair: Scan, plain: dict[str, Any]) -> None:
    for order in ORDERS:
        labels = relabelled(pair.labels, lambda v, order=order: stored(v, order))
        assert figures(measured(labels)) == plain, order


@pytest.mark.slow
@pytest.mark.parametrize("order", [ORDERS[13], ORDERS[22], ORDERS[47]], ids=str)
def test_the_storage_order_of_labels_and_ct_changes_no_bit(
    pair: Scan, plain_ct: dict[str, Any], order: Order
) -> None:
    labels = relabelled(pair.labels, lambda v: stored(v, order))
    assert figures(measured(labels, stored(pair.ct, ORDERS[5]))) == plain_ct


@pytest.mark.slow
@settings(max_examples=6)
@given(
    axis=st.tuples(*[st.integers(-5, 5)] * 3).filter(any),
    turn=st.floats(0.0, 180.0),
    shift=st.tuples(*[st.floats(-1500.0, 1500.0)] * 3),
)
@example(axis=(0, 0, 1), turn=180.0, shift=(0.0, 0.0, 0.0))  # prone
@example(axis=(1, 0, 0), turn=180.0, shift=(0.0, 0.0, -900.0))  # feet first, prone
@example(axis=(0, 1, 0), turn=180.0, shift=(0.0, 0.0, 0.0))  # feet first
@example(axis=(1, 0, 0), turn=90.0, shift=(0.1, 0.2, 0.3))  # standing on the detector
@example(axis=(3, -2, 1), turn=77.7, shift=(210.3, -80.9, 1203.7))  # oblique
def test_a_moved_patient_has_the_same_figures_and_landmarks_move_along(
    pair: Scan,
    plain: dict[str, Any],
    axis: tuple[int, int, int],
    turn: float,
    shift: tuple[float, float, float],
) -> None:
    matrix = rotation(axis, turn)
    labels = relabelled(pair.labels, lambda v: placed(v, matrix, shift))
    before, after = locate_once(pair), locate(labels)
    for was, now in zip(before.vertebrae, after.vertebrae, strict=True):
        expected = landmarks(was) @ matrix.T + shift
        np.testing.assert_allclose(landmarks(now), expected, atol=1e-5)
    assert different(plain, figures(measure(after)), SAME) == []


@cache
def locate_once(image: Scan) -> Spine:
    return locate(image.labels)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("matrix", "shift"),
    [(PLANE, (0.0, 0.0, 0.0)), (rotation([1, 2, 3], 130.0), (31.0, -77.0, 512.0))],
    ids=["prone", "oblique"],
)
def test_a_patient_moved_with_the_ct_has_the_same_figures(
    pair: Scan, plain_ct: dict[str, Any], matrix: Array, shift: tuple[float, float, float]
) -> None:
    labels = relabelled(pair.labels, lambda v: placed(v, matrix, shift))
    now = figures(measured(labels, placed(pair.ct, matrix, shift)))
    assert different(plain_ct, now, SAME) == []


def landmarks(vertebra: Vertebra) -> Array:
    """All named points of a vertebra, one per row [mm, LPS]."""
    body, canal, frame = vertebra.body, vertebra.canal, vertebra.frame
    assert body is not None
    assert canal is not None
    assert frame is not None
    plates = [
        getattr(plate, f"{station}_mm")
        for plate in (body.superior, body.inferior)
        for station in ("anterior", "middle", "posterior")
    ]
    isthmus = [pedicle.isthmus_mm for pedicle in vertebra.pedicles]
    return np.array([frame.origin_mm, canal.centre_mm, *plates, *isthmus])


@pytest.mark.slow
@pytest.mark.parametrize("with_ct", [False, True], ids=["labels", "CT"])
def test_a_mirrored_patient_has_left_and_right_swapped_and_nothing_else(
    pair: Scan, plain: dict[str, Any], plain_ct: dict[str, Any], with_ct: bool
) -> None:
    mirror = np.diag([-1.0, 1.0, 1.0])
    labels = relabelled(pair.labels, lambda v: placed(v, mirror))
    now = figures(measured(labels, placed(pair.ct, mirror) if with_ct else None))
    before = plain_ct if with_ct else plain
    swapped = {path: before[swap(path)] for path in before}
    words = {path for path, value in before.items() if isinstance(value, str)}
    numbers = [{p: v for p, v in row.items() if p not in words} for row in (swapped, now)]
    assert different(*numbers, SAME) == []
    left, right = (".vertebrae.1.left_pedicle_width_mm.value", ".right_pedicle_width_mm.value")
    assert plain[left] < plain[f".vertebrae.1{right}"]


def swap(path: str) -> str:
    """Name the same figure of the other side."""
    return re.sub(r"\b(left|right)(?=_pedicle)", lambda m: OTHER[m[0]], path)


@pytest.mark.slow
def test_far_background_and_foreign_labels_change_nothing(
    pair: Scan, plain: dict[str, Any]
) -> None:
    volume = pair.labels.volume
    wide = np.pad(volume.voxels, ((9, 3), (0, 14), (5, 8)))
    wide[:3, -4:, :3] = 99  # a label that names no vertebra
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_patient([-9, 0, -5])
    padded = replace(pair.labels, volume=Volume(wide, affine))
    assert different(plain, figures(measured(padded)), SAME) == []

    index = np.argwhere(volume.voxels > 0)
    tight = volume.cropped(index.min(axis=0) - 2, index.max(axis=0) + 3)
    assert different(plain, figures(measured(replace(pair.labels, volume=tight))), SAME) == []


@pytest.mark.slow
def test_a_ct_in_another_grid_gives_the_same_figures_within_the_intervals(three: Scan) -> None:
    other = scan(THREE, spacing_mm=(1.0, 1.0, 2.0), orientation="RAS", noise_hu=5.0)
    same, mixed = measured(three.labels, three.ct), measured(three.labels, other.ct)
    for first, second in zip(same.vertebrae, mixed.vertebrae, strict=True):
        for name in ("anterior_height", "middle_height", "posterior_height", "density_hu"):
            a, b = getattr(first, name), getattr(second, name)
            assert a.value == pytest.approx(b.value, abs=2.0 * np.hypot(a.sd, b.sd)), name


def test_superior_and_left_come_out_right_without_neighbours(one: Scan) -> None:
    vertebra, truth = locate(one.labels)["L1"], one.truth["L1"]
    assert vertebra.frame is not None
    assert angle_deg(vertebra.frame.superior, truth.superior) < 3.0
    assert angle_deg(vertebra.frame.left, truth.left) < 3.0


@pytest.mark.slow
@pytest.mark.parametrize("level", [Level.T9, Level.T11, Level.L3, Level.L5], ids=str)
@pytest.mark.parametrize(
    "matrix",
    [np.eye(3), PLANE, FEET_FIRST, rotation([2, 1, 1], 100.0)],
    ids=["upright", "prone", "feet first", "oblique"],
)
def test_one_vertebra_alone_tells_head_from_foot_in_any_pose(level: Level, matrix: Array) -> None:
    image = scan(Phantom(levels=(level,)), spacing_mm=(2.0, 2.0, 2.0))
    labels = relabelled(image.labels, lambda v: placed(v, matrix))
    frame = locate(labels)[level].frame
    assert frame is not None
    assert angle_deg(frame.superior, matrix @ image.truth[level].superior) < 8.0
    assert angle_deg(frame.left, matrix @ image.truth[level].left) < 5.0


@pytest.mark.slow
def test_one_whole_vertebra_between_two_cut_ones_is_measured_and_they_are_not(three: Scan) -> None:
    volume = three.labels.volume
    rows = np.argwhere(volume.voxels == three.labels.value_of(L1))[:, 2]
    crop = volume.cropped(
        (0, 0, rows.min() - 1), (volume.shape[0], volume.shape[1], rows.max() + 2)
    )
    spine = locate(replace(three.labels, volume=crop))
    assert [v.cropped for v in spine.vertebrae] == [True, False, True]
    result = measured(replace(three.labels, volume=crop))
    assert result["L1"].anterior_height.value == pytest.approx(
        three.truth["L1"].anterior_height_mm, abs=1.0
    )
    for level in ("T12", "L2"):
        for figure in every_measure(result[level]):
            assert figure.value is None
            assert "cropped" in figure.reason or "calibration" in figure.reason
        assert result[level].genant.grade is None
    assert {n.level for n in result.notices if n.code == "cropped"} == {T12, L2}


def every_measure(row: VertebraMeasures) -> list[Measure]:
    """All figures measured on the vertebra itself (not what is expected of it)."""
    names = [name for name in row.__slots__ if not name.startswith("expected")]
    return [m for name in names if isinstance(m := getattr(row, name), Measure)]


@pytest.mark.slow
def test_extra_levels_are_levels_and_a_sacrum_is_none() -> None:
    levels = (T12, Level.T13, L1)
    image = scan(Phantom(levels=levels), spacing_mm=(2.0, 2.0, 2.0))
    assert locate(image.labels).levels == levels
    last = scan(Phantom(levels=(Level.L5, Level.L6)), spacing_mm=(2.0, 2.0, 2.0))
    assert locate(last.labels).levels == (Level.L5, Level.L6)
    value = last.labels.value_of(Level.L6)
    renamed = replace(last.labels, levels={**last.labels.levels, value: Level.S1})
    assert Level.S1 not in [row.level for row in measured(renamed).vertebrae]


def test_three_slices_are_refused_with_their_reason(one: Scan) -> None:
    volume = one.labels.volume
    middle = int(np.median(np.argwhere(volume.voxels > 0)[:, 2]))
    slab = volume.cropped((0, 0, middle - 1), (*volume.shape[:2], middle + 2))
    with pytest.raises(CaseError, match="slice"):
        locate(replace(one.labels, volume=slab))


def test_a_map_without_any_vertebra_is_refused(one: Scan) -> None:
    volume = one.labels.volume
    with pytest.raises(CaseError, match="none of its voxels belongs to a named vertebra"):
        locate(replace(one.labels, volume=Volume(np.zeros_like(volume.voxels), volume.affine)))


def honest(scan_: Scan, result_labels: Volume, level: Level) -> None:
    """Any figure of a level is right within 3 mm, or it is not claimed with high confidence."""
    row = measured(replace(scan_.labels, volume=result_labels))[level]
    truth = scan_.truth[level]
    heights = (row.anterior_height, row.middle_height, row.posterior_height)
    for figure, true in zip(heights, truth.heights_mm, strict=True):
        assert figure.reason
        wrong = figure.value is not None and abs(figure.value - true) > 3.0
        assert not (wrong and figure.confidence == "high"), f"{figure} true {true:.1f}"
    if row.genant.grade is not None:
        assert truth.genant_grade in row.genant.possible


@pytest.mark.slow
def test_a_broken_arch_leaves_the_heights_right(three: Scan) -> None:
    volume, voxels = three.labels.volume, three.labels.volume.voxels.copy()
    place = np.stack(np.meshgrid(*map(np.arange, voxels.shape), indexing="ij"), axis=-1)
    canal = three.truth["L1"].canal_centre_mm
    behind = (volume.to_patient(place) - canal) @ three.truth["L1"].posterior > 0.0
    value = three.labels.value_of(L1)
    voxels[(voxels == value) & behind] = 0
    honest(three, Volume(voxels, volume.affine), L1)
    honest(three, Volume(voxels, volume.affine), L2)


@pytest.mark.slow
@pytest.mark.parametrize("level", [T12, L1], ids=str)
def test_a_body_without_arch_raises_nothing_and_claims_nothing_wrong(
    three: Scan, level: Level
) -> None:
    parts = locate(three.labels)[level].parts
    assert parts is not None
    volume, voxels = three.labels.volume, three.labels.volume.voxels.copy()
    index = np.argwhere(voxels == three.labels.value_of(level))
    at = np.rint(parts.to_indices(volume.to_patient(index))).astype(int)
    at = np.clip(at, 0, np.array(parts.shape) - 1)
    arch = parts.voxels[tuple(at.T)] == Part.ARCH
    voxels[tuple(index[arch].T)] = 0
    honest(three, Volume(voxels, volume.affine), level)


@pytest.mark.slow
def test_two_vertebrae_merged_into_one_label_are_not_measured_as_one(three: Scan) -> None:
    volume, voxels = three.labels.volume, three.labels.volume.voxels.copy()
    voxels[voxels == three.labels.value_of(L2)] = three.labels.value_of(L1)
    row = measured(replace(three.labels, volume=Volume(voxels, volume.affine)))["L1"]
    heights = (row.anterior_height, row.middle_height, row.posterior_height)
    for figure, true in zip(heights, three.truth["L1"].heights_mm, strict=True):
        lower = three.truth["L2"].heights_mm[heights.index(figure)]
        assert figure.value is None or min(abs(figure.value - true), abs(figure.value - lower)) < 3


@pytest.mark.slow
def test_two_swapped_names_are_noticed_or_give_each_body_its_own_heights(three: Scan) -> None:
    table = dict(three.labels.levels)
    a, b = three.labels.value_of(T12), three.labels.value_of(L1)
    table[a], table[b] = L1, T12
    result = measured(replace(three.labels, levels=table))
    truth = {T12: three.truth["L1"], L1: three.truth["T12"], L2: three.truth["L2"]}
    for row in result.vertebrae:
        heights = (row.anterior_height, row.middle_height, row.posterior_height)
        for figure, true in zip(heights, truth[row.level].heights_mm, strict=True):
            if figure.value is not None:
                assert figure.value == pytest.approx(true, abs=3.0)
