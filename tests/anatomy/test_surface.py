"""The fitted endplate: exact where the sightings are, in doubt where they are not, even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.anatomy.patch import Patch
from kyphoplan.anatomy.surface import Sightings, Surface, join
from kyphoplan.geometry import Array

LEFT, POSTERIOR = (g.ravel() for g in np.mgrid[-12.0:13.0:4.0, -9.0:10.0:3.0])
TRIAL = np.arange(-20, 21) * 0.1  # [mm]
SLOPE = st.floats(-0.5, 0.5)
DISH = st.floats(-0.01, 0.01)


def sighted(chance: Array, base: Array) -> Sightings:
    """Sightings at all places, none astray."""
    return Sightings(
        left=LEFT,
        posterior=POSTERIOR,
        base=base,
        trial=TRIAL,
        chance=chance,
        seen=np.ones(LEFT.size, bool),
        stray=0.0,
    )


def sharp(height: Array, sd: float = 0.2) -> Surface:
    """Fit a surface that is seen at exactly these heights (N,)."""
    chance = np.tile(-0.5 * (TRIAL / sd) ** 2, (LEFT.size, 1))
    return join(Patch.over(LEFT, POSTERIOR), sighted(chance, height))


def in_one_slice(thick_mm: float, edge: Array | float = 0.0) -> Surface:
    """Fit a surface of which each place tells only that it lies within a slice."""
    away = np.abs(TRIAL[None, :] - np.broadcast_to(edge, LEFT.shape)[:, None])
    chance = np.where(away <= 0.5 * thick_mm + 1e-6, 0.0, -50.0)
    return join(Patch.over(LEFT, POSTERIOR), sighted(chance, np.zeros(LEFT.size)))


def test_the_basis_adds_up_to_one_and_its_products_are_the_gram_matrix() -> None:
    basis = Patch.over(LEFT, POSTERIOR).basis(LEFT, POSTERIOR)
    matrix, weight = basis.dense(), 1.0 + LEFT**2
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    gram = (basis.products() @ weight).reshape(basis.count, basis.count)
    np.testing.assert_allclose(gram, (matrix.T * weight) @ matrix, atol=1e-9)
    np.testing.assert_allclose(basis.collected(weight), matrix.T @ weight, atol=1e-9)


@given(tilt=SLOPE, pitch=SLOPE, across=DISH, along=DISH)
def test_a_plane_or_a_dish_seen_exactly_is_found_exactly_and_between_the_places_too(
    tilt: float, pitch: float, across: float, along: float
) -> None:
    def true(u: Array, v: Array) -> Array:
        return 3.0 + tilt * u + pitch * v + across * u * u + along * v * v

    u, v = LEFT[:-8] + 1.3, POSTERIOR[:-8] + 0.7
    np.testing.assert_allclose(sharp(true(LEFT, POSTERIOR)).at(u, v), true(u, v), atol=1e-3)


def test_bending_is_free_for_a_dish_and_not_for_a_wave() -> None:
    patch = Patch.over(LEFT, POSTERIOR)
    u, v = (g.ravel() for g in np.meshgrid(*map(np.arange, patch.shape), indexing="ij"))
    form = patch.bending()
    dish, wave = 2.0 + 0.1 * u - 0.02 * v * v + 0.05 * u * v, np.sin(u)
    assert dish @ form @ dish == pytest.approx(0.0, abs=1e-9)
    assert wave @ form @ wave > 1e-2


def test_a_surface_that_lies_within_one_thick_slice_is_in_more_doubt() -> None:
    middle = np.zeros(1), np.zeros(1)
    thin, thick = (in_one_slice(t).sd(*middle)[0] for t in (0.4, 2.0))
    crossed = in_one_slice(2.0, edge=np.where(LEFT > 0, 0.8, -0.8)).sd(*middle)[0]
    assert thick > 3.0 * thin
    assert thick > 0.2
    assert crossed < thick


@given(tilt=SLOPE, across=DISH)
def test_a_mirrored_surface_is_the_mirror_image(tilt: float, across: float) -> None:
    height = tilt * LEFT + across * LEFT**2 + 0.05 * POSTERIOR + 0.3 * np.sin(LEFT)
    other = -tilt * LEFT + across * LEFT**2 + 0.05 * POSTERIOR - 0.3 * np.sin(LEFT)
    one, two = sharp(height), sharp(other)
    np.testing.assert_allclose(one.at(LEFT, POSTERIOR), two.at(-LEFT, POSTERIOR), atol=1e-9)
    np.testing.assert_allclose(one.sd(LEFT, POSTERIOR), two.sd(-LEFT, POSTERIOR), rtol=1e-7)
