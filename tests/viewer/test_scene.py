"""The scene holds the treated levels, everything in the patient's own frame."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from kyphoplan.case import Level, Part, Plan
from kyphoplan.errors import NotFoundError
from kyphoplan.viewer import Kind, Scene, scene
from kyphoplan.viewer.scene import REFUSED_COLOUR

from ..planned import planned


@pytest.fixture(scope="module")
def shown() -> Scene:
    c = planned()
    return scene(c.spine, c.ct, c.plan)


def test_the_block_holds_all_bone_of_the_treated_levels(shown: Scene) -> None:
    for level in shown.treated:
        parts = planned().spine[level].parts
        assert parts is not None
        bone = parts.to_patient(np.argwhere(parts.voxels != Part.OUTSIDE))
        indices = shown.labels.to_indices(bone)
        assert (indices >= 0).all()
        assert (indices <= np.array(shown.labels.shape) - 1).all()


def test_the_block_shows_the_scan_where_the_scan_is(shown: Scene) -> None:
    ct, block = planned().ct, shown.ct
    assert block is not None
    assert block.voxels.dtype == np.int16
    assert np.array_equal(block.affine, shown.labels.affine)
    rng = np.random.default_rng(0)
    indices = rng.integers(0, block.shape, (200, 3))
    here = ct.to_indices(block.to_patient(indices))
    inside = ((here >= 0) & (here <= np.array(ct.shape) - 1)).all(axis=1)
    true = map_coordinates(ct.voxels, here[inside].T, order=1, output=float)
    assert inside.sum() > 50
    assert block.voxels[tuple(indices[inside].T)] == pytest.approx(true, abs=0.6)


def test_every_level_has_its_number_at_its_own_centre(shown: Scene) -> None:
    for number, level in enumerate(shown.levels, start=1):
        frame = planned().spine[level].frame
        assert frame is not None
        at = np.round(shown.labels.to_indices(frame.origin_mm)).astype(int)
        if level in shown.treated:
            assert shown.labels.voxels[tuple(at)] == number


def test_neighbours_are_shown_and_devices_are_drawn_before_bones(shown: Scene) -> None:
    assert shown.levels == (Level.T12, Level.L1, Level.L2)
    assert shown.treated == (Level.L1, Level.T12)
    kinds = [mesh.kind for mesh in shown.meshes]
    assert [kinds.count(k) for k in (Kind.CANNULA, Kind.SHAFT, Kind.BALLOON)] == [2, 2, 2]
    assert kinds[-3:] == [Kind.VERTEBRA] * 3


def test_a_refused_cannula_has_the_warning_colour() -> None:
    c = planned()
    level = c.plan.levels[0]
    refused = replace(level.trajectories[0], accepted=False, reason="crosses the canal")
    plan = Plan(levels=(replace(level, trajectories=(refused,)),), notices=())
    meshes = scene(c.spine, None, plan).meshes
    assert {m.colour for m in meshes if m.kind is Kind.CANNULA} == {REFUSED_COLOUR}


def test_a_balloon_that_does_not_exist_is_not_shown_and_no_ct_is_no_block() -> None:
    c = planned()
    level = c.plan.levels[0]
    none = tuple(replace(b, diameter_mm=0.0, length_mm=0.0) for b in level.inflations)
    made = scene(c.spine, None, Plan(levels=(replace(level, inflations=none),), notices=()))
    assert made.ct is None
    assert Kind.BALLOON not in {m.kind for m in made.meshes}


def test_a_plan_of_nothing_located_is_refused() -> None:
    with pytest.raises(NotFoundError, match="nothing to show"):
        scene(planned().spine, None, Plan(levels=(), notices=()))
