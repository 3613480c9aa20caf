"""A crushed block carries what it must, and says when a step is not in balance."""

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation import Method, Outcome, crushing, solve
from kyphoplan.simulation.crushing import Bone, Watch, crush

from .blocks import plates, scattered


def smooth_plates(shape: tuple[int, ...], shortening: float) -> Array:
    """Shorten along k between smooth plates, held in the planes of symmetry."""
    prescribed = np.full([n + 1 for n in shape] + [3], np.nan)
    prescribed[0, :, :, 0] = prescribed[:, 0, :, 1] = prescribed[:, :, 0, 2] = 0.0
    prescribed[:, :, -1, 2] = -shortening
    return prescribed


def cube(n: int, modulus: float = 200.0, limit: float = 2.0) -> Bone:
    shape = (n, n, n)
    return Bone(
        modulus_mpa=np.full(shape, modulus),
        yield_mpa=np.full(shape, limit),
        poisson=0.3,
        spacing_mm=1.0,
    )


@pytest.mark.parametrize("plastic_poisson", [0.0, 0.3])
def test_a_uniform_cube_yields_at_its_strength_and_stays_there(plastic_poisson: float) -> None:
    bone = cube(5)
    shares = np.array([0.25, 0.5, 1.0])  # strain 0.5, 1 and 2 %, yield at 1 %
    found = crush(bone, smooth_plates((5, 5, 5), 0.1), shares, plastic_poisson=plastic_poisson)
    forces = [step.force_n for step in found.steps]
    assert found.outcome is Outcome.CONVERGED
    assert forces == pytest.approx([25.0, 50.0, 50.0], rel=5e-3)
    plastic = found.plastic_strain.mean(axis=(0, 1, 2))
    assert plastic[2] == pytest.approx(-0.01, rel=0.02)
    assert plastic[:2] == pytest.approx([plastic_poisson * 0.01] * 2, abs=3e-4)


def test_below_yield_the_answer_is_the_linear_one() -> None:
    modulus = scattered((8, 8, 8))
    bone = Bone(
        modulus_mpa=modulus, yield_mpa=np.full(modulus.shape, 1e9), poisson=0.3, spacing_mm=1.0
    )
    prescribed = plates(modulus.shape, 0.08)
    linear = solve(modulus, 1.0, prescribed, tolerance=1e-8)
    found = crush(bone, prescribed, np.array([0.5, 1.0]))
    expected = -float(linear.reaction_n[:, :, -1, 2].sum())
    assert [s.force_n for s in found.steps] == pytest.approx([expected / 2, expected], rel=1e-3)
    assert found.steps[-1].yielding == 0.0


def test_weaker_bone_bears_less_and_no_more_than_the_elastic(shell_body: Array) -> None:
    prescribed = plates(shell_body.shape, 0.02 * shell_body.shape[2])
    loads = []
    for strength in (0.5, 1.0):
        limit = strength * 0.01 * shell_body
        bone = Bone(modulus_mpa=shell_body, yield_mpa=limit, poisson=0.3, spacing_mm=1.0)
        found = crush(bone, prescribed, np.array([0.3, 0.6, 1.0]))
        assert found.outcome is Outcome.CONVERGED
        forces = [step.force_n for step in found.steps]
        assert (np.diff(forces) > -0.01 * max(forces)).all()
        loads.append(max(forces))
    elastic = -float(solve(shell_body, 1.0, prescribed).reaction_n[:, :, -1, 2].sum())
    assert loads[0] < loads[1] < elastic


def test_it_ends_with_the_step_whose_length_is_enough() -> None:
    watch = Watch(gauge=lambda u: -float(u[0, 0, -1, 2]), enough_mm=0.06)
    found = crush(cube(4), smooth_plates((4, 4, 4), 0.1), np.linspace(0.2, 1, 5), watch=watch)
    assert [step.gauge_mm for step in found.steps] == pytest.approx([0.02, 0.04, 0.06])
    assert found.outcome is Outcome.CONVERGED


def test_what_cannot_yield_does_not_count_as_yielding() -> None:
    bone = cube(4)
    limit = bone.yield_mpa.copy()
    limit[:, :, 2:] = np.inf
    half = Bone(modulus_mpa=bone.modulus_mpa, yield_mpa=limit, poisson=0.3, spacing_mm=1.0)
    found = crush(half, smooth_plates((4, 4, 4), 0.1), np.array([1.0]))
    assert found.steps[0].yielding == 1.0
    assert np.abs(found.plastic_strain[:, :, 2:]).max() == 0.0
    assert 32.0 <= found.steps[0].force_n < 0.5 * 80.0  # the stiff half keeps it from widening


def test_a_step_that_is_not_in_balance_is_told(
    monkeypatch: pytest.MonkeyPatch, shell_body: Array
) -> None:
    monkeypatch.setattr(crushing, "ROUNDS", 2)
    bone = Bone(modulus_mpa=shell_body, yield_mpa=0.003 * shell_body, poisson=0.3, spacing_mm=1.0)
    found = crush(bone, plates(shell_body.shape, 0.5), np.array([1.0]), method=Method())
    assert found.outcome is Outcome.STALLED
    assert "unbalanced" in found.detail
