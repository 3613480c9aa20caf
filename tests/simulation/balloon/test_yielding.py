"""A voxel's octants: even strain, forces and work that belong together, crushing that hardens."""

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import yielding
from kyphoplan.simulation.balloon.yielding import happened, push, respond

SHAPE, EDGE = (3, 4, 2), 1.5
FINE = tuple(2 * n for n in SHAPE)
E_MPA, POISSON = 300.0, 0.3


def law(limit: float = np.inf, hardening: float = 0.0) -> Array:
    out = np.zeros((*FINE, yielding.LAWS))
    out[..., yielding.SHEAR] = E_MPA / (2.0 * (1.0 + POISSON))
    out[..., yielding.BULK] = E_MPA / (3.0 * (1.0 - 2.0 * POISSON))
    out[..., yielding.LIMIT], out[..., yielding.FACTOR] = limit, 1.5
    out[..., yielding.HARDENING] = hardening
    return out


def places() -> Array:
    axes = [EDGE * np.arange(n + 1) for n in SHAPE]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def answered(u: Array, given: Array, *, whole: bool) -> tuple[Array, Array, Array]:
    """Return secant, forces and stress."""
    stress, together = np.zeros((*FINE, 6)), np.full(SHAPE, whole)
    secant, force, change = np.zeros((*SHAPE, 2)), np.zeros(u.shape), np.zeros((*FINE, 8))
    respond(u, EDGE, given, stress, together, secant, force)
    happened(u, EDGE, given, stress, together, 0.0, change)
    return secant, force, change[..., 1:7]


@pytest.mark.parametrize("whole", [True, False])
def test_an_even_strain_is_met_exactly(whole: bool) -> None:
    gradient = 1e-3 * np.array([[1.0, 2.0, -1.0], [0.5, -2.0, 1.0], [3.0, 0.0, 1.5]])
    _, force, stress = answered(places() @ gradient.T, law(), whole=whole)
    strain = 0.5 * (gradient + gradient.T)
    lam = E_MPA * POISSON / ((1.0 + POISSON) * (1.0 - 2.0 * POISSON))
    exact = lam * np.trace(strain) * np.eye(3) + E_MPA / (1.0 + POISSON) * strain
    expected = exact[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    np.testing.assert_allclose(stress, np.broadcast_to(expected, stress.shape), atol=1e-12)
    np.testing.assert_allclose(force[1:-1, 1:-1, 1:-1], 0.0, atol=1e-12)


def test_a_pressure_gains_the_volume_that_its_share_does() -> None:
    forces, swelling = np.zeros((*(n + 1 for n in SHAPE), 3)), 0.01
    push(np.full(FINE, 0.5), EDGE, forces)
    gained = float((forces * swelling * places()).sum())
    assert gained == pytest.approx(0.5 * 3.0 * swelling * np.prod(SHAPE) * EDGE**3, rel=1e-12)


@pytest.mark.parametrize("whole", [True, False])
def test_forces_do_the_work_of_the_stress(whole: bool) -> None:
    rng = np.random.default_rng(4)
    u = 0.02 * rng.normal(size=(*(n + 1 for n in SHAPE), 3))
    _, force, _ = answered(u, law(), whole=whole)
    stored, lost = happened(
        u, EDGE, law(), np.zeros((*FINE, 6)), np.full(SHAPE, whole), 0.0, np.zeros((*FINE, 8))
    )
    assert lost == pytest.approx(0.0, abs=1e-12)
    assert -float((force * u).sum()) == pytest.approx(2.0 * stored, rel=1e-12)


def test_squeezed_bone_is_stronger_within_the_same_increment() -> None:
    u = np.zeros((*(n + 1 for n in SHAPE), 3))
    u[..., 2] = -0.3 * places()[..., 2]
    _, _, soft = answered(u, law(2.0), whole=True)
    _, _, hard = answered(u, law(2.0, 0.7), whole=True)
    np.testing.assert_allclose(hard[..., 2], np.exp(0.7 * 0.3) * soft[..., 2], rtol=0.02)
