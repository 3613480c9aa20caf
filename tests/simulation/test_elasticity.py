"""The solver against what is known: exact fields, bounds, symmetries, and honest refusals."""

import numpy as np
import pytest
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.simulation import Loads, Method, Outcome, Solution, solve
from kyphoplan.simulation.solver import element
from kyphoplan.simulation.solver import hierarchy as hierarchy_module

from .blocks import nodes_mm, on_the_boundary, plates, scattered, waisted

TIGHT = 1e-11
LAM, MU = element.lame(1000.0, 0.3)


def total(solution: Solution, axis: int = 2) -> float:
    """Force [N] on the upper plate along an axis."""
    return float(solution.reaction_n[:, :, -1, axis].sum())


@pytest.mark.parametrize("poisson", [0.0, 0.3, 0.45])
def test_a_linear_field_is_reproduced_exactly(poisson: float) -> None:
    shape = (13, 9, 17)
    slope = np.random.default_rng(0).standard_normal((3, 3)) * 1e-2
    exact = nodes_mm(shape, 0.7) @ slope.T + [0.1, -0.2, 0.3]
    solution = solve(
        np.full(shape, 700.0),
        0.7,
        on_the_boundary(exact),
        poisson=poisson,
        tolerance=TIGHT,
        method=Method(start_mm=np.zeros(exact.shape)),  # else it is guessed at once
    )
    assert solution.converged
    assert solution.iterations > 0
    assert np.abs(solution.displacement_mm - exact).max() <= 1e-9 * np.abs(exact).max()


def test_rigid_motion_costs_no_energy_in_a_body_with_voids(shell_body: Array) -> None:
    place = nodes_mm(shell_body.shape, 1.0)
    for axis in np.eye(3):
        for motion in (np.broadcast_to(axis, place.shape), np.cross(axis, place - 12.0) / 12.0):
            solution = solve(shell_body, 1.0, motion)
            assert solution.strain_energy_mj <= 1e-20 * 3000.0 * place.size


def manufactured(n: int) -> float:
    """Error [mm] of a smooth field under the body force that belongs to it, on n^3 voxels."""
    edge = 1.0 / n
    w = np.pi

    def field(p: Array) -> Array:
        x, y, z = np.moveaxis(w * p, -1, 0)
        return np.stack(
            [np.sin(x) * np.cos(y) * z / w, np.cos(y) * np.sin(z), np.sin(x) * np.sin(y) * z], -1
        )

    def body_force(p: Array) -> Array:
        """Minus the divergence of the stress, by fine differences of the exact field."""
        d = 1e-3
        e = np.eye(3) * d

        def second(a: int, b: int) -> Array:
            if a == b:
                return (field(p + e[a]) - 2 * field(p) + field(p - e[a])) / d**2
            plus, minus = field(p + e[a] + e[b]), field(p - e[a] - e[b])
            return (plus + minus - field(p + e[a] - e[b]) - field(p - e[a] + e[b])) / (4 * d**2)

        lap = sum(second(a, a) for a in range(3))
        grad_div = np.stack(
            [sum(second(a, b)[..., b] for b in range(3)) for a in range(3)], axis=-1
        )
        return -(MU * lap + (LAM + MU) * grad_div)

    nodes = nodes_mm((n, n, n), edge)
    forces = np.zeros(nodes.shape)
    points = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))
    for a in np.ndindex(2, 2, 2):
        inside = np.array([points[i] for i in a])
        density = body_force(nodes[:-1, :-1, :-1] + edge * inside) * edge**3 / 8.0
        for c in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(np.array(c) == 1, inside, 1.0 - inside))
            forces[tuple(slice(i, i + n) for i in c)] += weight * density
    solution = solve(
        np.full((n, n, n), 1000.0),
        edge,
        on_the_boundary(field(nodes)),
        tolerance=1e-9,
        loads=Loads(forces_n=forces),
    )
    assert solution.converged
    return float(np.sqrt(np.mean((solution.displacement_mm - field(nodes)) ** 2)))


def test_a_manufactured_field_is_approached_at_second_order() -> None:
    errors = [manufactured(n) for n in (8, 16, 32)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx([2.0, 2.0], abs=0.1)


def cavity_error(edge: float, half: float = 8.0, radius: float = 4.0) -> float:
    """Mean error of the radial displacement around a pressurised ball in a far larger body.

    The ball is a region of eigenstress -p in the same material: by Eshelby's dilation its outer
    field is that of a cavity under a lower pressure, exactly c x / |x|^3.
    """
    n = round(2 * half / edge)
    fine = 4  # sub-points per edge: the share of each voxel in the ball
    sub = (np.arange(n * fine) + 0.5) * edge / fine - half
    squares = sub[:, None, None] ** 2 + sub[:, None] ** 2 + sub**2
    share = (squares < radius**2).reshape(n, fine, n, fine, n, fine).mean(axis=(1, 3, 5))
    stress = np.zeros((n, n, n, 6))
    stress[..., :3] = -1.0 * share[..., None]
    place = nodes_mm((n, n, n), edge) - half
    distance = np.linalg.norm(place, axis=-1)
    strength = radius**3 / (3.0 * (LAM + 2.0 * MU))  # [mm3] of c x / |x|^3 at 1 MPa
    exact = strength * place / np.maximum(distance, 1e-9)[..., None] ** 3
    solution = solve(
        np.full((n, n, n), 1000.0),
        edge,
        on_the_boundary(exact),
        loads=Loads(eigenstress_mpa=stress),
        tolerance=1e-8,
    )
    assert solution.converged
    shown = (distance > 1.3 * radius) & (distance < half)
    radial = np.einsum("...c,...c->...", solution.displacement_mm, place)[shown] / distance[shown]
    truth = strength / distance[shown] ** 2
    return float(np.mean(np.abs(radial - truth)) / np.mean(truth))


def test_a_pressurised_sphere_swells_as_lame_says() -> None:
    assert cavity_error(0.5) <= 0.005


@pytest.mark.soak
def test_a_pressurised_sphere_swells_as_lame_says_on_a_fine_grid() -> None:
    assert cavity_error(0.25) <= 0.5 * cavity_error(0.5)


def test_work_is_reciprocal_and_displacements_add_up() -> None:
    modulus = waisted(16, 2.0)
    rng = np.random.default_rng(3)
    prescribed = plates(modulus.shape, 0.0)
    solid = ~np.isnan(solve(modulus, 1.0, prescribed).displacement_mm)
    forces = [rng.standard_normal(prescribed.shape) * solid for _ in range(2)]
    forces.append(2.0 * forces[0] - 3.0 * forces[1])
    moved = [
        np.nan_to_num(
            solve(
                modulus, 1.0, prescribed, loads=Loads(forces_n=f), tolerance=TIGHT
            ).displacement_mm
        )
        for f in forces
    ]
    assert (forces[0] * moved[1]).sum() == pytest.approx((forces[1] * moved[0]).sum(), rel=1e-8)
    both = 2.0 * moved[0] - 3.0 * moved[1]
    assert np.abs(moved[2] - both).max() <= 1e-8 * np.abs(both).max()


def test_forces_balance_and_energy_is_half_the_work(shell_body: Array) -> None:
    solution = solve(shell_body, 1.0, plates(shell_body.shape, 0.24), tolerance=1e-9)
    assert np.abs(solution.reaction_n.sum(axis=(0, 1, 2))).max() <= 1e-6 * abs(total(solution))
    assert solution.strain_energy_mj == pytest.approx(-0.5 * 0.24 * total(solution), rel=1e-8)


def test_the_bulk_and_shear_stiffness_of_a_mixture_keep_their_bounds() -> None:
    """Hashin and Shtrikman 1963, J Mech Phys Solids 11:127, doi:10.1016/0022-5096(63)90060-7."""
    n, soft, stiff = 40, 100.0, 500.0
    rng = np.random.default_rng(5)
    # Grains of 4 voxels, for one voxel alone is too stiff. The stiff boundary adds a little.
    share = np.kron(rng.random((10, 10, 10)) < 0.5, np.ones((4, 4, 4))) > 0.0
    modulus = np.where(share, stiff, soft)
    f = float(share.mean())
    bulk, shear = ([e / (3 * (1 - 0.6)) for e in (soft, stiff)], [e / 2.6 for e in (soft, stiff)])

    def bound(k: list[float], g: list[float], base: int) -> tuple[float, float]:
        other, part = 1 - base, (f if base == 0 else 1 - f)
        k0, g0 = k[base], g[base]
        kk = k0 + part / (1 / (k[other] - k0) + 3 * (1 - part) / (3 * k0 + 4 * g0))
        h = 6 * (k0 + 2 * g0) * (1 - part) / (5 * g0 * (3 * k0 + 4 * g0))
        return kk, g0 + part / (1 / (g[other] - g0) + h)

    low, high = bound(bulk, shear, 0), bound(bulk, shear, 1)
    place = nodes_mm((n, n, n), 1.0)
    swollen = solve(modulus, 1.0, on_the_boundary(place * 1e-3))
    measured_bulk = 2 * swollen.strain_energy_mj / n**3 / 9e-6
    sheared = np.zeros(place.shape)
    sheared[..., 0] = 1e-3 * place[..., 1]
    turned = solve(modulus, 1.0, on_the_boundary(sheared))
    measured_shear = 2 * turned.strain_energy_mj / n**3 / 1e-6
    assert low[0] <= measured_bulk <= high[0] * 1.02
    assert low[1] <= measured_shear <= high[1] * 1.02


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_body_moves_in_the_mirror(axis: int) -> None:
    modulus, prescribed = waisted(15, 2.0), plates((15, 15, 15), 0.2)
    prescribed[:, :, -1, 0] = 0.1
    plain = solve(modulus, 1.0, prescribed, tolerance=TIGHT)
    sign = np.where(np.arange(3) == axis, -1.0, 1.0)
    there = solve(np.flip(modulus, axis), 1.0, np.flip(prescribed, axis) * sign, tolerance=TIGHT)
    back = np.flip(there.displacement_mm, axis) * sign
    assert np.nanmax(np.abs(back - plain.displacement_mm)) <= 1e-8


@pytest.mark.parametrize("turn", [(1, 2, 0), (2, 0, 1), (1, 0, 2)])
def test_a_turned_body_moves_as_it_is_turned(turn: tuple[int, int, int]) -> None:
    modulus, prescribed = waisted(14, 2.0)[:, :12, :], plates((14, 12, 14), 0.2)
    plain = solve(modulus, 1.0, prescribed, tolerance=TIGHT)
    turned = prescribed.transpose(*turn, 3)[..., turn]
    there = solve(modulus.transpose(turn), 1.0, turned, tolerance=TIGHT)
    expected = plain.displacement_mm.transpose(*turn, 3)[..., turn]
    assert np.nanmax(np.abs(there.displacement_mm - expected)) <= 1e-8


def test_moduli_and_length_scale_the_force(shell_body: Array) -> None:
    prescribed = plates(shell_body.shape, 0.24)
    plain = solve(shell_body, 1.0, prescribed)
    stiffer = solve(3.0 * shell_body, 1.0, prescribed)
    larger = solve(shell_body, 2.0, 2.0 * prescribed)
    assert total(stiffer) == pytest.approx(3.0 * total(plain), rel=1e-6)
    assert total(larger) == pytest.approx(4.0 * total(plain), rel=1e-6)


@pytest.mark.parametrize(("poisson", "steps"), [(0.45, 8), (0.49, 15), (0.4999, 25)])
def test_a_nearly_incompressible_core_converges(poisson: float, steps: int) -> None:
    modulus, ratios = np.full((12, 12, 12), 1.0), np.full((12, 12, 12), 0.3)
    ratios[3:9, 3:9, 3:9] = poisson
    solution = solve(modulus, 1.0, plates(modulus.shape, 0.12), poisson=ratios)
    assert solution.converged
    assert solution.iterations <= steps


def test_a_nearly_incompressible_disc_between_bone_converges() -> None:
    modulus, ratios = np.full((24, 24, 24), 1000.0), np.full((24, 24, 24), 0.3)
    modulus[:, :, 9:15], ratios[:, :, 9:15] = 4.0, 0.4999
    solution = solve(modulus, 1.0, plates(modulus.shape, 0.24), poisson=ratios)
    assert solution.converged
    assert solution.iterations <= 25


def test_the_number_of_threads_and_the_smoothing_do_not_move_the_result(shell_body: Array) -> None:
    prescribed = plates(shell_body.shape, 0.24)
    results = [
        total(solve(shell_body, 1.0, prescribed, tolerance=1e-10, method=method))
        for method in (Method(), Method(threads=2), Method(smoothing=2))
    ]
    assert results == pytest.approx([results[0]] * 3, rel=1e-8)


def test_a_warm_start_needs_fewer_steps_and_gives_the_same(shell_body: Array) -> None:
    cold = solve(shell_body, 1.0, plates(shell_body.shape, 0.24))
    method = Method(start_mm=1.01 * cold.displacement_mm)
    warm = solve(shell_body, 1.0, plates(shell_body.shape, 0.2424), method=method)
    assert warm.converged
    assert warm.iterations <= 1
    assert total(warm) == pytest.approx(1.01 * total(cold), rel=1e-5)


def test_inputs_stay_as_they_were(shell_body: Array) -> None:
    before = shell_body.copy()
    prescribed = plates(shell_body.shape, 0.24)
    kept = prescribed.copy()
    solve(shell_body, 1.0, prescribed)
    assert np.array_equal(before, shell_body)
    assert np.array_equal(kept, prescribed, equal_nan=True)


HARD = {
    "scattered block": scattered((32, 32, 32)),
    "waist, shell of 1 mm": waisted(32, 1.0),
    "waist, shell of 0.3 mm": waisted(32, 0.3),
    "waist, shell of 1 mm, 1 mm voxels": waisted(48, 1.0),
}


def random_contrast(n: int) -> Array:
    return np.where(np.random.default_rng(1).random((n, n, n)) < 0.5, 1e-4, 1e5 * 1e-4)


def checkerboard(n: int, size: int, contrast: float) -> Array:
    return np.where((np.indices((n, n, n)) // size).sum(axis=0) % 2, 1.0, contrast)


def bridges(n: int) -> Array:
    """Two blocks that a bridge of two voxels and two of one voxel hold together."""
    modulus = np.full((n, n, n), 1000.0)
    modulus[:, :, n // 2 - 2 : n // 2 + 2] = 0.0
    modulus[n // 4 : n // 4 + 2, n // 4 : n // 4 + 2] = 1000.0
    modulus[3 * n // 4, n // 2] = modulus[n // 4, 3 * n // 4] = 1000.0
    return modulus


def soft_layer(n: int) -> Array:
    modulus = np.full((n, n, n), 1000.0)
    modulus[:, :, n // 2] = 0.1
    return modulus


def rods(n: int, period: int) -> Array:
    """A lattice of rods of one voxel."""
    return np.where((np.indices((n, n, n)) % period == 0).sum(axis=0) > 1, 1000.0, 0.0)


def network(n: int, share: float, width: float, *, walls: bool = False) -> Array:
    """A random network of rods, or of walls, as trabeculae are; its largest piece.

    Parameters
    ----------
    share : of the volume, before smaller pieces are left out [1].
    width : scale of the noise that it is cut from [voxels].
    """
    noise = np.random.default_rng(0).standard_normal((n, n, n))
    noise = ndimage.gaussian_filter(noise, width, mode="wrap")
    noise = -np.abs(noise) if walls else noise
    pieces, _ = ndimage.label(noise > np.quantile(noise, 1.0 - share))
    return np.where(pieces == np.bincount(pieces.ravel())[1:].argmax() + 1, 1000.0, 0.0)


def stiff_rods(n: int, period: int) -> Array:
    """Rods of one voxel across the load, far apart, in matter 1e5 times softer."""
    i, _, k = np.indices((n, n, n)) % period == period // 2
    return np.where(i & k, 1e5, 1.0)


def two_phases(n: int) -> Array:
    """Stiff and soft blobs of a few voxels, contrast 1e4."""
    noise = np.random.default_rng(0).standard_normal((n, n, n))
    return np.where(ndimage.gaussian_filter(noise, 1.5, mode="wrap") > 0.0, 1e4, 1.0)


HARD |= {
    "rods in soft matter, contrast 1e5": stiff_rods(33, 8),
    "two phases, contrast 1e4": two_phases(32),
    "lattice of rods of one voxel": rods(33, 8),
    "network of rods, 30 %": network(32, 0.3, 2.0),
    "network of walls, 30 %": network(32, 0.3, 2.0, walls=True),
    "thin network of rods, 25 %": network(32, 0.25, 1.0),
    "random, contrast 1e5": random_contrast(32),
    "checkerboard of 1, contrast 1e5": checkerboard(32, 1, 1e5),
    "checkerboard of 3, contrast 1e5": checkerboard(33, 3, 1e5),
    "bridges of one voxel": bridges(32),
    "layer, contrast 1e-4": soft_layer(32),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_bodies_need_at_most_25_steps(name: str) -> None:
    modulus = HARD[name]
    solution = solve(modulus, 1.0, plates(modulus.shape, 0.01 * modulus.shape[2]))
    assert solution.converged
    assert solution.iterations <= 25


def test_the_steps_hardly_grow_with_the_size() -> None:
    steps = []
    for n in (16, 32, 64):
        modulus = waisted(n, 1.0)
        steps.append(solve(modulus, 64.0 / n, plates(modulus.shape, 0.6)).iterations)
    assert max(steps) - min(steps) <= 4


@pytest.mark.soak
@pytest.mark.parametrize("n", [96, 128, 192])
def test_the_steps_hardly_grow_up_to_192_voxels_a_side(n: int) -> None:
    modulus = waisted(n, 1.0)
    method = Method(threads=2)
    assert solve(modulus, 64.0 / n, plates(modulus.shape, 0.6), method=method).iterations <= 14


def test_an_underestimated_eigenvalue_is_what_the_bound_guards_against(
    monkeypatch: pytest.MonkeyPatch, shell_body: Array
) -> None:
    """A power iteration that ends early gives too small a bound, and the smoother then grows."""
    prescribed = plates(shell_body.shape, 0.24)
    method = Method(smoothing=5)
    guaranteed = solve(shell_body, 1.0, prescribed, method=method).iterations
    weights = hierarchy_module.chebyshev
    monkeypatch.setattr(
        hierarchy_module, "chebyshev", lambda steps, largest: weights(steps, 0.35 * largest)
    )
    assert solve(shell_body, 1.0, prescribed, method=method).iterations > 3 * guaranteed


def test_a_free_body_is_named() -> None:
    modulus = np.full((8, 8, 8), 100.0)
    modulus[:, :, 4:6] = 0.0
    prescribed = np.full((9, 9, 9, 3), np.nan)
    prescribed[:, :, 0] = 0.0
    solution = solve(modulus, 1.0, prescribed)
    assert solution.outcome is Outcome.UNHELD
    assert "body 2 (128 voxels, near voxel (0, 0, 6)) is not held" in solution.detail
    assert np.isnan(solution.displacement_mm).all()
    assert not solution.converged


def test_a_voxel_that_hangs_by_an_edge_or_a_corner_is_named() -> None:
    for place in ((4, 4, 1), (4, 4, 4)):
        modulus = np.zeros((5, 5, 5))
        modulus[:4, :4, :4] = 100.0
        modulus[place] = 100.0
        prescribed = np.full((6, 6, 6, 3), np.nan)
        prescribed[:, :, 0] = 0.0
        solution = solve(modulus, 1.0, prescribed)
        assert solution.outcome is Outcome.UNHELD
        assert "1 voxels" in solution.detail


def test_three_hinges_hold_a_piece() -> None:
    modulus = np.full((4, 4, 4), 100.0)
    modulus[:, :, 2] = 0.0
    modulus[0, 0, 2] = modulus[3, 0, 2] = modulus[0, 3, 2] = 100.0
    prescribed = np.full((5, 5, 5, 3), np.nan)
    prescribed[:, :, 0] = 0.0
    assert solve(modulus, 1.0, prescribed).converged


def test_too_few_supports_are_told_unless_free_motion_is_allowed() -> None:
    modulus = scattered((8, 8, 8))
    prescribed = np.full((9, 9, 9, 3), np.nan)
    prescribed[:, :, 0, 2], prescribed[:, :, -1, 2] = 0.0, -0.08
    assert solve(modulus, 1.0, prescribed).outcome is Outcome.UNHELD
    free = solve(modulus, 1.0, prescribed, method=Method(free_motion=True), tolerance=1e-9)
    assert free.converged
    assert np.abs(free.displacement_mm[..., :2].mean(axis=(0, 1, 2))).max() < 1e-9
    pinned = prescribed.copy()
    pinned[0, 0, 0, :2] = pinned[8, 0, 0, 1] = 0.0
    held = solve(modulus, 1.0, pinned, tolerance=1e-9)
    assert total(free) == pytest.approx(total(held), rel=1e-7)


def test_a_load_along_a_free_motion_is_refused() -> None:
    modulus = scattered((6, 6, 6))
    prescribed = np.full((7, 7, 7, 3), np.nan)
    prescribed[:, :, 0, 2] = 0.0
    forces = np.zeros(prescribed.shape)
    forces[:, :, -1, 0] = 1.0
    solution = solve(
        modulus, 1.0, prescribed, loads=Loads(forces_n=forces), method=Method(free_motion=True)
    )
    assert solution.outcome is Outcome.DRIVEN


def test_a_solve_that_is_cut_short_says_so(shell_body: Array) -> None:
    method = Method(iterations=2)
    solution = solve(shell_body, 1.0, plates(shell_body.shape, 0.24), method=method)
    assert solution.outcome is Outcome.STALLED
    assert len(solution.residuals) == 3
    nothing = np.zeros((*(n + 1 for n in shell_body.shape), 3))
    method = Method(iterations=2, start_mm=nothing)
    blind = solve(shell_body, 1.0, plates(shell_body.shape, 0.24), method=method)
    assert blind.residuals[0] == pytest.approx(1.0)
    assert blind.reference_n == pytest.approx(solution.reference_n)


def test_a_linear_field_is_guessed_at_once() -> None:
    shape = (9, 7, 12)
    slope = np.random.default_rng(1).standard_normal((3, 3)) * 1e-2
    exact = nodes_mm(shape, 0.5) @ slope.T + [0.1, -0.2, 0.3]
    solution = solve(np.full(shape, 700.0), 0.5, on_the_boundary(exact))
    assert solution.iterations == 0
    assert np.abs(solution.displacement_mm - exact).max() <= 1e-9 * np.abs(exact).max()


def test_a_guess_that_is_worse_than_none_is_not_taken(shell_body: Array) -> None:
    prescribed = plates(shell_body.shape, 1e-6)
    forces = np.zeros(prescribed.shape)
    forces[12, 12, 12, 0] = 100.0
    loads = Loads(forces_n=forces)
    guessed = solve(shell_body, 1.0, prescribed, loads=loads)
    assert guessed.residuals[0] <= 1.0
    assert guessed.converged


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"modulus_mpa": -1.0}, "modulus_mpa"),
        ({"modulus_mpa": np.nan}, "modulus_mpa"),
        ({"poisson": 0.5}, "poisson"),
        ({"spacing_mm": 0.0}, "spacing_mm"),
        ({"prescribed_mm": np.inf}, "prescribed_mm"),
    ],
)
def test_impossible_values_are_refused(change: dict[str, float], word: str) -> None:
    given = {"modulus_mpa": np.ones((2, 2, 2)), "spacing_mm": 1.0, "poisson": 0.3}
    given["prescribed_mm"] = np.zeros((3, 3, 3, 3))
    for name, value in change.items():
        given[name] = np.full(np.shape(given[name]), value)
    with pytest.raises(ValueError, match=word):
        solve(**given)


def test_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="prescribed_mm has shape"):
        solve(np.ones((2, 2, 2)), 1.0, np.zeros((2, 2, 2, 3)))
