"""Pressures on voxels, against a direct solver."""

import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from kyphoplan.simulation.cement.darcy import Flow, Network, connect


def problem(shape: tuple[int, ...], jump: float) -> tuple[Network, np.ndarray, np.ndarray]:
    """Uneven bone with a ball of stiff cement in it, holes in the body, one way out."""
    rng = np.random.default_rng(1)
    inside = rng.random(shape) > 0.1
    middle = tuple(n // 2 for n in shape)
    inside[middle] = True
    pieces, _ = ndimage.label(inside)
    inside = pieces == pieces[middle]
    network = connect(inside)
    places = np.argwhere(inside) - np.array(middle)
    ease = np.exp(rng.normal(0.0, 1.0, network.count))
    ease[np.linalg.norm(places, axis=1) < 0.3 * shape[0]] /= jump
    between = 2.0 / (1.0 / ease[network.first] + 1.0 / ease[network.second])
    outward = np.zeros(network.count)
    outward[:3] = 0.1
    return network, between, outward


@pytest.mark.parametrize("shape", [(5, 6, 7), (16, 15, 9), (1, 1, 12), (20, 20, 20)])
@pytest.mark.parametrize("jump", [1.0, 1e3])
def test_the_pressures_are_those_of_a_direct_solver(shape: tuple[int, ...], jump: float) -> None:
    network, between, outward = problem(shape, jump)
    source = np.zeros(network.count)
    source[network.index[tuple(n // 2 for n in shape)]] = 1.0
    a, b, n = network.first, network.second, network.count
    laplace = sparse.coo_matrix(
        (np.concatenate([between, between, -between, -between]),
         (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))), (n, n)
    ).tocsc() + sparse.diags(outward, format="csc")  # fmt: skip
    exact = spsolve(laplace, source)
    flow = Flow(network)
    assert flow.solve(between, outward, source)
    assert flow.pressure == pytest.approx(exact, rel=1e-4, abs=1e-5 * np.abs(exact).max())
    assert flow.steps <= 60
    assert flow.solve(between, outward, source)
    assert flow.steps <= 1  # it begins where it ended


def test_what_flows_in_flows_out() -> None:
    network, between, outward = problem((12, 12, 12), 1e3)
    source = np.zeros(network.count)
    source[network.count // 2] = 5.0
    flow = Flow(network)
    assert flow.solve(between, outward, source)
    assert float(outward @ flow.pressure) == pytest.approx(5.0, rel=1e-5)
    through = flow.through(between)
    net = np.bincount(network.first, through, network.count)
    net -= np.bincount(network.second, through, network.count)
    assert net + outward * flow.pressure == pytest.approx(source, abs=1e-5)


def test_without_a_source_nothing_moves() -> None:
    network, between, outward = problem((5, 5, 5), 1.0)
    flow = Flow(network)
    assert flow.solve(between, outward, np.zeros(network.count))
    assert not flow.pressure.any()


def test_what_cannot_be_solved_is_said() -> None:
    network, between, outward = problem((9, 9, 9), 1.0)
    flow = Flow(network)
    assert not flow.solve(between, 0.0 * outward, np.ones(network.count))
