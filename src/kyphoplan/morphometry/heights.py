"""Heights, what they should be, and how much is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kyphoplan.case import (
    Confidence,
    Endplate,
    Genant,
    Grade,
    Level,
    Measure,
    Shape,
    Spine,
    Vertebra,
)
from kyphoplan.geometry import Array
from kyphoplan.morphometry.norms import norm_heights

STATIONS = ("anterior", "middle", "posterior")
NEAREST_STEPS = 2  # [levels] an intact neighbour must be this near
FARTHEST_STEPS = 4  # [levels] intact vertebrae up to here support the regression
LEVEL_SD = 0.030  # [1] body height scatters by this about a straight line over levels
TREND_MM, TREND_SD_MM = 0.8, 0.5  # [mm/level] heights grow caudally; Panjabi 1991/1992
FRACTURE_PCT = 20.0  # [%] Genant grade 1 and more (Genant 1993, doi:10.1002/jbmr.5650080915)
GRADE_CUTS_PCT = (20.0, 25.0, 40.0)  # [%] grades 1, 2, 3; a tie takes the upper grade
CRUSH_SHARE = 0.75  # [1] posterior loss over largest loss from which the body is crushed


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the heights of one body should be.

    Attributes
    ----------
    heights : anterior, middle, posterior; without value if nothing can tell.
    basis : which neighbours or norms they rest on.
    """

    heights: tuple[Measure, Measure, Measure]
    basis: str


def body_heights(vertebra: Vertebra) -> tuple[Measure, Measure, Measure]:
    """Measure anterior, middle and posterior height [mm] along the body's own axis.

    The distance of the endplates on the mid-sagittal plane at 15, 50 and 85 % of the body's
    depth, along the bisector of the endplate normals.
    """
    body, frame = vertebra.body, vertebra.frame
    if body is None or frame is None:
        gap = Measure.unknown("mm", vertebra.reason)
        return gap, gap, gap
    sds = np.hypot(body.superior.sd_mm, body.inferior.sd_mm)
    edge = min(body.superior.refined_fraction, body.inferior.refined_fraction)
    how = "edge in the CT" if edge > 0.5 else "edge of the label"  # noqa: PLR2004 - mostly

    def height(station: str, sd: float) -> Measure:
        top: Array = getattr(body.superior, f"{station}_mm")
        bottom: Array = getattr(body.inferior, f"{station}_mm")
        value = float((top - bottom) @ frame.superior)
        trust = Confidence.HIGH if sd < 0.5 else Confidence.MEDIUM  # noqa: PLR2004 [mm]
        return Measure.of(value, sd, "mm", f"{how}, both endplates", confidence=trust, lowest=0.0)

    anterior, middle, posterior = map(height, STATIONS, map(float, sds))
    return anterior, middle, posterior


def expected_heights(
    spine: Spine, heights: Mapping[Level, Sequence[Measure]]
) -> dict[Level, Expected]:
    """Predict the unbroken heights of each level from the intact vertebrae around it.

    What is misshapen by itself is no reference. Of the others the fractured are taken out one by
    one, the worst first, until what is left agrees.

    Parameters
    ----------
    heights : anterior, middle, posterior height of every measured level [mm].
    """
    known = [level for level in spine.levels if heights[level][0].value is not None]
    intact = [level for level in known if not _misshapen(level, heights[level])]
    while True:
        losses = {
            level: _largest_loss(heights[level], _predict(spine, heights, level, intact).heights)
            for level in intact
        }
        worst = max(losses, key=lambda level: losses[level], default=None)
        if worst is None or losses[worst] < FRACTURE_PCT:
            break
        intact.remove(worst)
    return {level: _predict(spine, heights, level, intact) for level in spine.levels}


def _misshapen(level: Level, heights: Sequence[Measure]) -> bool:
    """Say whether a body alone shows a fracture: front or middle far lower than its back.

    Against the published proportions of the level. Neighbours that broke alike agree with each
    other; their own shape gives them away.
    """
    norm = norm_heights(level)
    if norm is None:
        return False
    anterior, middle, posterior = (
        height.value / usual
        for height, usual in zip(heights, norm[0], strict=True)
        if height.value is not None
    )
    return min(anterior, middle) < (1.0 - FRACTURE_PCT / 100.0) * posterior


def _predict(
    spine: Spine,
    heights: Mapping[Level, Sequence[Measure]],
    level: Level,
    intact: Sequence[Level],
) -> Expected:
    """Predict one level by regression over the intact levels near it, itself left out."""
    steps = {other: spine.steps(level, other) for other in intact if other is not level}
    near = {o: n for o, n in steps.items() if n is not None and abs(n) <= FARTHEST_STEPS}
    if not any(abs(n) <= NEAREST_STEPS for n in near.values()):
        return _from_norm(level)
    offsets = np.array(list(near.values()), float)
    predicted = []
    for station in range(3):
        values = np.array([heights[other][station].value for other in near], float)
        sds = np.array([heights[other][station].sd for other in near])
        predicted.append(_regress(offsets, values, sds, f"regression over {_names(near)}"))
    return Expected(
        heights=(predicted[0], predicted[1], predicted[2]),
        basis=f"intact neighbours {_names(near)}",
    )


def _names(levels: Mapping[Level, int]) -> str:
    return ", ".join(str(level) for level in sorted(levels))


def _regress(offsets: Array, values: Array, sds: Array, reason: str) -> Measure:
    """Predict a height at offset 0 by a line with a prior on its slope.

    Bayesian linear regression: scatter LEVEL_SD of the height and the measuring error, nearer
    levels weighing more (scatter grows with distance); slope TREND_MM +- TREND_SD_MM.
    """
    scatter = LEVEL_SD * float(values.mean()) * np.sqrt(np.abs(offsets))
    weight = 1.0 / (sds**2 + scatter**2)
    design = np.stack([np.ones_like(offsets), offsets], axis=1)
    precision = (design * weight[:, None]).T @ design
    precision[1, 1] += 1.0 / TREND_SD_MM**2
    right = (design * weight[:, None]).T @ values
    right[1] += TREND_MM / TREND_SD_MM**2
    covariance = np.linalg.inv(precision)
    value = float((covariance @ right)[0])
    own = LEVEL_SD * value
    sd = float(np.sqrt(covariance[0, 0] + own**2))
    trust = Confidence.HIGH if offsets.size > 1 else Confidence.MEDIUM
    return Measure.of(value, sd, "mm", reason, confidence=trust, lowest=0.0)


def _from_norm(level: Level) -> Expected:
    """Fall back on published heights with their wide interval; nothing if there are none."""
    norm = norm_heights(level)
    if norm is None:
        gap = Measure.unknown("mm", "no reference: no intact neighbour within two levels, no norm")
        return Expected(heights=(gap, gap, gap), basis="none")
    values, sd, source = norm
    a, m, p = (
        Measure.of(v, sd, "mm", source, confidence=Confidence.LOW, lowest=0.0) for v in values
    )
    return Expected(
        heights=(a, m, p), basis=f"{source}: no intact neighbour within {NEAREST_STEPS} levels"
    )


def _loss(height: Measure, expected: Measure) -> tuple[float, float]:
    """Loss [%] and its standard uncertainty; -inf if either is missing."""
    if height.value is None or expected.value is None:
        return -np.inf, np.inf
    ratio = height.value / expected.value
    spread = np.hypot(height.sd, ratio * expected.sd) / expected.value
    return 100.0 * (1.0 - ratio), float(100.0 * spread)


def _largest_loss(heights: Sequence[Measure], expected: Sequence[Measure]) -> float:
    return max(_loss(h, e)[0] for h, e in zip(heights, expected, strict=True))


def height_loss(heights: Sequence[Measure], expected: Expected) -> Measure:
    """Measure the largest of the three height losses [%] against the expected heights."""
    losses = [_loss(h, e) for h, e in zip(heights, expected.heights, strict=True)]
    value, sd = max(losses, key=lambda pair: pair[0])
    if not np.isfinite(value):
        missing = heights[0] if heights[0].value is None else expected.heights[0]
        return Measure.unknown("%", missing.reason)
    trust = expected.heights[0].confidence
    return Measure.of(
        value, sd, "%", f"against {expected.basis}", confidence=trust, lowest=0.0, highest=100.0
    )


def grade_of(loss_pct: float) -> Grade:
    """Return the Genant grade of a height loss [%].

    Examples
    --------
    >>> [int(grade_of(loss)) for loss in (19.9, 20.0, 25.0, 40.0)]
    [0, 1, 2, 3]

    References
    ----------
    Genant 1993, doi:10.1002/jbmr.5650080915.
    """
    return Grade(sum(loss_pct >= cut for cut in GRADE_CUTS_PCT))


def genant(heights: Sequence[Measure], expected: Expected, loss: Measure) -> Genant:
    """Grade a fracture and name its shape; all grades that the interval reaches are possible."""
    if loss.value is None or loss.low is None or loss.high is None:
        return Genant(grade=None, shape=Shape.UNKNOWN, possible=(), reason=loss.reason)
    grade = grade_of(loss.value)
    reachable = range(int(grade_of(loss.low)), int(grade_of(loss.high)) + 1)
    return Genant(
        grade=grade,
        shape=_shape(heights, expected) if grade > Grade.NORMAL else Shape.NONE,
        possible=tuple(Grade(g) for g in reachable),
        reason="cuts at 20, 25 and 40 % height loss (Genant 1993)",
    )


def _shape(heights: Sequence[Measure], expected: Expected) -> Shape:
    """Wedge if the front lost most, biconcave if the middle, crush if the back lost as much."""
    anterior, middle, posterior = (
        _loss(h, e)[0] for h, e in zip(heights, expected.heights, strict=True)
    )
    if posterior >= CRUSH_SHARE * max(anterior, middle) and posterior >= FRACTURE_PCT:
        return Shape.CRUSH
    return Shape.WEDGE if anterior >= middle else Shape.BICONCAVE


def depression(endplate: Endplate | None, superior: Array | None, reason: str) -> Measure:
    """Measure how far an endplate dips below its own line [mm], along the body's axis.

    The largest distance of the mid-sagittal curve from the chord of its anterior and posterior
    height points. A healthy endplate dips by 1-2.5 mm.
    """
    if endplate is None or superior is None:
        return Measure.unknown("mm", reason)
    sign = float(np.sign(endplate.normal @ superior))
    chord = endplate.posterior_mm - endplate.anterior_mm
    along = endplate.curve_mm - endplate.anterior_mm
    share = (along @ chord) / (chord @ chord)
    dip = sign * ((share[:, None] * chord - along) @ superior)
    inside = (share >= 0.0) & (share <= 1.0)
    return Measure.of(
        float(dip[inside].max()),
        float(np.sqrt(0.5 * (endplate.sd_mm**2).sum())),
        "mm",
        "endplate curve against the line of its height points",
        lowest=0.0,
    )
