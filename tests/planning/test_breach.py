"""The breach probability is that of a plain Monte-Carlo, and behaves like a probability."""

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.planning import AimingError
from kyphoplan.planning.breach import (
    breach_probability,
    chance_of_misplacement,
    least_room,
)
from kyphoplan.planning.sections import RAYS, Sections

from .truths import Exact, drawn, planned, skin


def pipe(radius_mm: float, length_mm: float = 40.0) -> Sections:
    """Sections along the axis of a round pipe."""
    depth = np.linspace(3.0, length_mm, 38)
    zero = np.zeros(depth.size)
    return Sections(
        depth_mm=depth,
        radius_mm=np.full((depth.size, RAYS), radius_mm),
        past_mm=zero,
        quarter=zero.astype(np.intp),
        in_pedicle=zero > -1.0,
    )


def test_a_pipe_without_direction_error_follows_the_rayleigh_law() -> None:
    for gap in (0.5, 1.0, 2.0, 3.0):
        found = breach_probability(pipe(2.0 + gap), 2.0, AimingError(direction_sd_deg=0.0), 0.0)
        assert found.value == pytest.approx(np.exp(-(gap**2) / 2.0), abs=0.02)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= np.exp(-(gap**2) / 2.0) <= found.high + 0.01


def test_the_chance_grows_with_the_error_and_with_the_cannula() -> None:
    def chance(radius: float, error: float) -> float:
        aiming = AimingError(entry_sd_mm=error, direction_sd_deg=2.0 * error)
        return breach_probability(pipe(5.0), radius, aiming, 0.1).value or 0.0

    by_error = [chance(1.7, error) for error in (0.0, 0.5, 1.0, 2.0)]
    by_radius = [chance(radius, 1.0) for radius in (1.2, 1.5, 1.7, 2.1)]
    assert by_error == sorted(by_error)
    assert by_error[0] == 0.0
    assert by_radius == sorted(by_radius)


def test_an_axis_outside_breaches_always() -> None:
    assert breach_probability(pipe(0.0), 1.7, AimingError(), 0.1).value == 1.0


def test_a_misplaced_cannula_is_two_millimetres_outside() -> None:
    aiming = AimingError(direction_sd_deg=0.0)
    for gap in (-2.0, 0.0, 0.5):
        room = least_room(pipe(2.0 + gap), aiming)
        law = np.exp(-((gap + 2.0) ** 2) / 2.0)
        assert chance_of_misplacement(room, 2.0) == pytest.approx(law, abs=0.02)


@pytest.mark.parametrize("wrong", [{"entry_sd_mm": -1.0}, {"direction_sd_deg": np.nan}])
def test_an_impossible_error_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 20"):
        AimingError(**wrong)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 7, 11])
def test_a_monte_carlo_on_the_exact_shape_lies_within_the_stated_interval(seed: int) -> None:
    assert planned(seed).trajectories
    assert outside(seed, 2.6) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_same_for_many_phantoms(seed: int) -> None:
    """Some 80 ways: by chance alone one in 50 such runs would find one beyond 3.5 deviations."""
    assert outside(seed, 3.5) == []


def outside(seed: int, deviations: float) -> list[str]:
    """Say which ways breach more or less often in 400 tries than stated, by more than chance."""
    exact = Exact.of(drawn(seed))
    rng = np.random.default_rng(seed)
    found = []
    for way in planned(seed).trajectories:
        missed = [
            missed_walls(way, exact, *aimed(way.entry_mm, way.target_mm, rng)) for _ in range(400)
        ]
        chance = float(np.mean(missed))
        spread = deviations * np.sqrt(chance * (1.0 - chance) / len(missed))
        stated = way.breach_probability
        assert stated.low is not None
        assert stated.high is not None
        if not stated.low - spread <= chance <= stated.high + spread:
            found.append(f"{seed} {way.side}: {chance} for {stated}")
    return found


def test_ways_can_be_ranked_for_a_hand_without_error() -> None:
    perfect = AimingError(entry_sd_mm=0.0, direction_sd_deg=0.0)
    assert (perfect.spread_mm(np.array([0.0, 40.0])) > 0.0).all()


def aimed(entry: Array, target: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Miss an entry by 1 mm and a direction by 2 degrees, each in two directions across."""
    length = np.linalg.norm(target - entry)
    direction = (target - entry) / length
    across = np.linalg.svd(direction[None])[2][1:]
    start = entry + rng.normal(0.0, 1.0, 2) @ across
    turned = direction + np.tan(np.deg2rad(rng.normal(0.0, 2.0, 2))) @ across
    return start, start + length * turned / np.linalg.norm(turned)


def missed_walls(way: object, exact: Exact, entry: Array, target: Array) -> bool:
    """Say whether a cannula leaves the exact bone, one diameter behind its entry and on."""
    points, _, depth = skin(way, entry, target)  # type: ignore[arg-type]
    judged = points[depth >= way.outer_diameter_mm]  # type: ignore[attr-defined]
    return bool((exact.bone(judged) > 0).any() or (exact.canal(judged) < 0).any())
