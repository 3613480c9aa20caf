"""The voxel's stiffness has the properties of any elastic body."""

import numpy as np
import pytest

from kyphoplan.simulation.solver import element

RATIOS = [0.0, 0.5, 1.5, 10.0, 1e4]  # lam / mu


def rigid_motions() -> np.ndarray:
    corners = np.array(list(np.ndindex(2, 2, 2)), float)
    shifts = [np.tile(axis, 8) for axis in np.eye(3)]
    turns = [np.cross(axis, corners).ravel() for axis in np.eye(3)]
    return np.array(shifts + turns)


@pytest.mark.parametrize("ratio", RATIOS)
def test_six_rigid_motions_and_no_other_cost_no_energy(ratio: float) -> None:
    matrix = element.stiffness(ratio, 1.0)
    assert np.abs(matrix @ rigid_motions().T).max() < 1e-14 * max(ratio, 1.0)
    values = np.linalg.eigvalsh(matrix)
    assert np.abs(values[:6]).max() < 1e-13 * max(ratio, 1.0)
    assert values[6] > 0.01


@pytest.mark.parametrize("ratio", RATIOS)
def test_it_is_the_integral_of_strain_energy_over_gauss_points(ratio: float) -> None:
    corners = np.array(list(np.ndindex(2, 2, 2))) - 0.5
    law = np.diag([2.0, 2, 2, 1, 1, 1])
    law[:3, :3] += ratio
    total = np.zeros((24, 24))
    for place in corners / np.sqrt(3.0):
        factors = 0.5 + 2.0 * corners * place
        slope = np.array(
            [2.0 * corners[:, a] * np.delete(factors, a, 1).prod(1) for a in range(3)]
        )
        strain = np.zeros((6, 8, 3))
        for row, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
            strain[row, :, a] += slope[b]
            if a != b:
                strain[row, :, b] += slope[a]
        matrix = strain.reshape(6, 24)
        total += matrix.T @ law @ matrix / 8.0
    assert element.stiffness(ratio, 1.0) == pytest.approx(total, abs=1e-12 * max(ratio, 1.0))


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_diagonal_is_the_same_everywhere(ratio: float) -> None:
    diagonal = np.diag(element.stiffness(ratio, 1.0))
    assert diagonal == pytest.approx(np.full(24, element.diagonal(ratio, 1.0)))


def test_the_bound_of_the_eigenvalues_is_the_published_one_and_holds_for_a_mesh() -> None:
    assert element.largest_eigenvalue(1.5) == pytest.approx(5.318, abs=1e-3)
    rng = np.random.default_rng(0)
    number = np.arange(4 * 4 * 4).reshape(4, 4, 4)
    matrix = np.zeros((192, 192))
    for i, j, k in np.ndindex(3, 3, 3):
        nodes = number[i : i + 2, j : j + 2, k : k + 2].ravel()
        block = (3 * nodes[:, None] + np.arange(3)).ravel()
        matrix[np.ix_(block, block)] += 10.0 ** rng.uniform(-4, 5) * element.stiffness(1.5, 1.0)
    scale = 1.0 / np.sqrt(np.diag(matrix))
    largest = np.linalg.eigvalsh(matrix * scale * scale[:, None])[-1]
    assert largest <= element.largest_eigenvalue(1.5) * (1.0 + 1e-12)
