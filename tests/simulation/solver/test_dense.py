"""The coarsest inverse is the inverse."""

import numpy as np
import pytest

from kyphoplan.simulation.solver.dense import swept


@pytest.mark.parametrize("size", [1, 2, 4, 5, 17, 90])
def test_a_positive_matrix_is_inverted_in_its_lower_half(size: int) -> None:
    root = np.random.default_rng(size).standard_normal((size, size))
    matrix = root @ root.T + 0.1 * np.eye(size)
    result = matrix.copy()
    assert swept(result)
    assert np.tril(result) == pytest.approx(np.tril(np.linalg.inv(matrix)), rel=1e-9, abs=1e-9)


def test_a_matrix_that_is_not_positive_is_told() -> None:
    assert not swept(np.array([[1.0, 0.0], [2.0, 1.0]]))
