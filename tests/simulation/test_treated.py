"""Where the treated vertebra's bone is, for cement: laws of a cube whose points have moved."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.cement.outlets import exposed_faces
from kyphoplan.simulation.operative_field import Field
from kyphoplan.simulation.specimen import Tissue
from kyphoplan.simulation.treated import bone_now, share_now, solid_now

SHAPE, SIDE = (13, 13, 13), slice(3, 10)
MINERAL = 1150.0  # [mg/cm3]


def cube() -> tuple[Field, mp.Points]:
    """A cube of bone, its outermost voxels half full, under a disc."""
    tissue, share, zeros = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE), np.zeros(SHAPE)
    tissue[SIDE, SIDE, SIDE] = Tissue.BONE
    skin = exposed_faces(tissue == Tissue.BONE) > 0
    share[tissue == Tissue.BONE] = 1.0
    share[skin] = 0.5
    tissue[SIDE, SIDE, 10:12] = Tissue.NUCLEUS
    density = 120.0 * share
    soft = np.where(tissue == Tissue.NUCLEUS, 1.0, 0.0)
    field = Field(
        tissue=tissue, density=density, soft_mpa=soft, poisson=zeros, weak=zeros, tension=zeros,
        slack=zeros, track=zeros, share=share, edge_mm=1.0, affine=np.eye(4),
    )  # fmt: skip
    return field, mp.fill_with_points(tissue > 0, density, soft, zeros, zeros + 1.0, 1.0)


def found(field: Field, start: mp.Points, now: mp.Points) -> tuple[Array, Array]:
    """Share of each voxel that is bone, and of that what fluid cannot enter."""
    share = share_now(bone_now(field, start, now), np.zeros(SHAPE))
    mineral = mp.gather(now, SHAPE)[..., mp.MASS] * 1000.0 / MINERAL
    return share, solid_now(share, np.zeros(SHAPE), mineral)


def test_bone_that_has_not_moved_is_as_in_the_ct() -> None:
    field, points = cube()
    share, solid = found(field, points, points)
    assert share == pytest.approx(np.where(field.tissue == Tissue.BONE, field.share, 0.0))
    there = share > 0.0
    assert solid[there] == pytest.approx((1.0 - field.share + field.density / MINERAL)[there])


def test_a_skin_that_moved_a_little_leaves_no_sleeve_of_empty_bone_around_it() -> None:
    field, points = cube()
    swollen = replace(
        points, place=6.5 + 1.01 * (points.place - 6.5), volume=1.01**3 * points.volume
    )
    assert (mp.gather(swollen, SHAPE)[..., mp.MASS] > 0.0).sum() > 1.5 * (
        field.density > 0.0
    ).sum()
    share, solid = found(field, points, swollen)
    there = field.tissue == Tissue.BONE
    assert ((share > 0.0) == there).all()
    assert solid[there] == pytest.approx(found(field, points, points)[1][there], abs=0.05)


def test_bone_that_rose_by_a_voxel_lies_where_the_disc_was() -> None:
    field, points = cube()
    risen = replace(points, place=points.place + np.array([0.0, 0.0, 1.0]))
    before, after = found(field, points, points), found(field, points, risen)
    for was, now in zip(before, after, strict=True):
        assert now[:, :, 1:] == pytest.approx(was[:, :, :-1])


def test_a_void_at_the_skin_is_of_the_vertebra_and_open() -> None:
    field, points = cube()
    void = np.zeros(SHAPE)
    void[3, 6, 6] = void[6, 6, 6] = 0.5
    share = share_now(bone_now(field, points, points), void)
    assert share[3, 6, 6] == pytest.approx(1.0)
    assert share[6, 6, 6] == 1.0
    solid = solid_now(share, void, field.density / MINERAL)
    assert solid[3, 6, 6] == pytest.approx(field.density[3, 6, 6] / MINERAL / 0.5)


def test_a_gap_torn_within_the_bone_is_open_and_not_outside() -> None:
    field, points = cube()
    torn = replace(points, place=points.place.copy(), volume=points.volume.copy())
    inner = (np.abs(points.place - 6.5) < 0.5).all(axis=1)
    torn.volume[inner] = torn.mass_mg[inner] = 0.0
    share, solid = found(field, points, torn)
    assert share[6, 6, 6] == 1.0
    assert solid[6, 6, 6] == 0.0
