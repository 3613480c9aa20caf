"""The sweeps do what the assembled matrix does, on one thread or two."""

from typing import Any

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver import element
from kyphoplan.simulation.solver.fields import new_field
from kyphoplan.simulation.solver.hierarchy import make_grid, narrowed
from kyphoplan.simulation.solver.kernels import APPLY, FORCE, RESIDUAL, SMOOTH, Grid, sweep

SHAPES = [(1, 1, 1), (5, 4, 9), (3, 7, 16), (6, 2, 7)]
THREADS = [1, 2, 3]


def block(shape: tuple[int, int, int], threads: int, monkeypatch: Any) -> Grid:
    monkeypatch.setattr("kyphoplan.simulation.solver.hierarchy.SHARED_VOXELS", 0)
    rng = np.random.default_rng(1)
    padded = (shape[0] + 1, shape[1] + 1, -(-(shape[2] + 1) // 8) * 8)
    lam, mu = new_field(padded, np.float32), new_field(padded, np.float32)
    solid = rng.random(shape) < 0.7
    solid[0, 0, 0] = True
    inner = tuple(slice(0, n) for n in shape)
    lam[inner] = 10.0 ** rng.uniform(-2, 2, shape) * solid
    mu[inner] = 10.0 ** rng.uniform(-2, 2, shape) * solid
    free = new_field(padded, np.uint8)
    free[...] = rng.integers(0, 8, padded)
    return make_grid(lam, mu, free, threads)


def random_field(grid: Grid, shape: tuple[int, ...], dtype: Any, seed: int) -> Array:
    nodes = shape[2] + 1
    field = new_field((*grid.lam.shape[:2], 3, grid.lam.shape[2]), dtype)
    rng = np.random.default_rng(seed)
    field[..., :nodes] = rng.standard_normal(field[..., :nodes].shape)
    field *= grid.inverse[:, :, None] > 0
    return field


def assembled(grid: Grid, u: Array) -> Array:
    force = np.zeros(u.shape)
    for i, j, k in np.argwhere((grid.lam > 0) | (grid.mu > 0)):
        here = np.s_[i : i + 2, j : j + 2, :, k : k + 2]
        corners = u[here].astype(float).transpose(0, 1, 3, 2).ravel()
        matrix = element.stiffness(float(grid.lam[i, j, k]), float(grid.mu[i, j, k]))
        force[here] += (matrix @ corners).reshape(2, 2, 2, 3).transpose(0, 1, 3, 2)
    return force


def free_of(grid: Grid) -> Array:
    return (grid.free[:, :, None, :] >> np.arange(3)[:, None]) & 1


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_force_is_that_of_the_assembled_matrix(
    shape: tuple[int, int, int], threads: int, monkeypatch: Any
) -> None:
    grid = block(shape, threads, monkeypatch)
    u = random_field(grid, shape, float, 2)
    out = new_field(u.shape, float)
    sweep(FORCE, u, u, out, grid)
    assert out == pytest.approx(assembled(grid, u), abs=1e-12 * float(grid.lam.max()))
    work = sweep(APPLY, u, u, out, grid)
    kept = assembled(grid, u) * free_of(grid)
    assert out == pytest.approx(kept, abs=1e-12 * float(grid.lam.max()))
    assert work == pytest.approx(float((u * kept).sum()), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("threads", THREADS)
def test_held_nodes_are_left_out_and_the_others_feel_them(threads: int, monkeypatch: Any) -> None:
    shape = (6, 5, 24)
    whole = block(shape, threads, monkeypatch)
    whole.free[:, :, :9] = whole.free[:, :, 24:] = 0
    whole.free[:2] = 0
    grid = narrowed(whole, threads)
    assert grid.spans[..., 0][grid.spans[..., 1] > 0].min() == 8
    assert grid.spans[..., 1].max() == 24 < whole.spans[..., 1].max()
    assert not grid.spans[0].any()
    u = random_field(grid, shape, float, 2)
    out = new_field(u.shape, float)
    sweep(APPLY, u, u, out, grid)
    kept = assembled(grid, u) * free_of(grid)
    assert out == pytest.approx(kept, abs=1e-12 * float(grid.lam.max()))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_residual_and_a_smoothing_step_are_what_they_say(
    shape: tuple[int, int, int], threads: int, monkeypatch: Any
) -> None:
    grid = block(shape, threads, monkeypatch)
    u, b, step = (random_field(grid, shape, np.float32, seed) for seed in (2, 3, 4))
    residual = (b - assembled(grid, u)) * free_of(grid)
    out = new_field(u.shape, np.float32)
    sweep(RESIDUAL, u, b, out, grid)
    size = 2e-5 * float(grid.lam.max())
    assert out == pytest.approx(residual, abs=size)
    expected = np.float32(0.25) * step + 0.5 * grid.inverse[:, :, None] * residual
    before = u.copy()
    sweep(SMOOTH, u, b, step, grid, (0.25, 0.5))
    assert step == pytest.approx(expected, abs=1e-3, rel=1e-4)
    assert u == pytest.approx(before + expected, abs=1e-3, rel=1e-4)


def test_the_number_of_threads_does_not_move_a_smoothing_step(monkeypatch: Any) -> None:
    results = []
    for threads in THREADS:
        grid = block((9, 8, 21), threads, monkeypatch)
        u, b, step = (random_field(grid, (9, 8, 21), np.float32, seed) for seed in (2, 3, 4))
        sweep(SMOOTH, u, b, step, grid, (0.25, 0.5))
        results.append(u)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
