"""How easily a fluid moves between trabeculae."""

import numpy as np
import pytest

from kyphoplan.materials import PERMEABILITY, VOID_PERMEABILITY_MM2
from kyphoplan.simulation.cement.permeability import USUAL, Permeability, bone_fraction


def test_bone_of_the_anchor_has_the_measured_permeability() -> None:
    anchor = USUAL.along(np.array(USUAL.anchor_fraction), np.array(0.0))
    assert float(anchor) == pytest.approx(PERMEABILITY.value)


def test_less_bone_and_more_void_let_more_through() -> None:
    bone = USUAL.along(np.linspace(0.0, 1.0, 30), np.zeros(30))
    assert (np.diff(bone) <= 0.0).all()
    assert (bone > 0.0).all()
    void = USUAL.along(np.full(30, 0.2), np.linspace(0.0, 1.0, 30))
    assert (np.diff(void) > 0.0).all()
    assert void[-1] == pytest.approx(VOID_PERMEABILITY_MM2)


def test_bone_is_more_permeable_along_the_spine_and_a_void_is_alike() -> None:
    left, back, up = USUAL.axes(np.array(0.12), np.array(0.0))
    assert left == back == pytest.approx(0.78 * up)
    assert len(set(USUAL.axes(np.array(0.12), np.array(1.0)).tolist())) == 1


def test_bone_fraction_is_a_share() -> None:
    share = bone_fraction(np.array([-50.0, 0.0, 115.0, 5000.0]))
    assert share == pytest.approx([0.0, 0.0, 0.1, 1.0])


def test_draws_are_reproducible() -> None:
    one, two = (Permeability.drawn(np.random.default_rng(3)) for _ in range(2))
    assert one == two
    assert one != USUAL


def test_scatter_is_the_same_for_the_same_seed_and_as_wide_as_told() -> None:
    drawn = Permeability(scatter=0.5, seed=4)
    one, two = (drawn.texture((20, 20, 20), 1.0) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert np.log(one).std() == pytest.approx(0.5)
    assert not np.array_equal(one, Permeability(scatter=0.5, seed=5).texture((20, 20, 20), 1.0))
    beside = np.corrcoef(one[1:].ravel(), one[:-1].ravel())[0, 1]
    far = np.corrcoef(one[12:].ravel(), one[:-12].ravel())[0, 1]
    assert beside > 0.7
    assert abs(far) < 0.3


def test_scatter_leaves_a_void_alone() -> None:
    bone, void = np.full(3, 0.12), np.array([0.0, 0.5, 1.0])
    found = USUAL.along(bone, void, np.full(3, 2.0)) / USUAL.along(bone, void)
    assert found[0] == pytest.approx(2.0)
    assert 1.0 < found[1] < 2.0
    assert found[2] == pytest.approx(1.0)
