"""The slopes of a trilinear displacement in a voxel's octants, and the forces that answer them."""

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.octant_slopes import slopes, strains, subtract_forces

RNG = np.random.default_rng(7)
U, EDGE = RNG.normal(size=(2, 2, 2, 3)), 1.5
OCTANTS = list(np.ndindex(2, 2, 2))


def corner_slopes() -> Array:
    """Gradients of a unit voxel's eight corners in the middle of each octant (8, 8, 3)."""
    sign = np.array([[2.0 * (n >> s & 1) - 1.0 for s in (2, 1, 0)] for n in range(8)])
    near = 0.5 + 0.25 * sign[:, None, :] * sign[None, :, :]
    out = np.empty((8, 8, 3))
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        out[..., axis] = sign[None, :, axis] * near[..., one] * near[..., other]
    return out


def test_the_slopes_are_those_of_the_corners_in_the_middle_of_each_octant() -> None:
    exact = np.einsum("oca,cn->ona", corner_slopes(), U.reshape(8, 3)) / EDGE
    found = np.zeros((3, 3, 2, 2))
    slopes(U, 0, 0, 0, 1.0 / EDGE, found)
    for octant, (a, b, c) in enumerate(OCTANTS):
        for axis, place in enumerate(((b, c), (a, c), (a, b))):
            np.testing.assert_allclose(found[:, axis, *place], exact[octant, :, axis], atol=1e-14)


def test_the_forces_do_the_work_of_the_stress() -> None:
    stress, strain, force = RNG.normal(size=(8, 6)), np.zeros((8, 6)), np.zeros((2, 2, 2, 3))
    strains(U, 0, 0, 0, EDGE, False, np.zeros((3, 3, 2, 2)), strain)
    subtract_forces(stress, EDGE**2 / 8.0, 0, 0, 0, np.zeros((3, 3, 2, 2)), force)
    work = float((stress * strain).sum()) * EDGE**3 / 8.0
    np.testing.assert_allclose(-(force * U).sum(), work, rtol=1e-12)
