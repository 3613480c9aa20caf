"""How much cement: what fills the balloons' voids, within the share of the body that is known.

The evidence is wide, so the interval is: 15 to 30 % of the body. It is a range to aim into, never
a number to reach; filling stops at the first sign of a leak.
"""

from dataclasses import replace

import numpy as np

from kyphoplan.case import Confidence, Fill, Inflation, Measure, Side, Trajectory, Vertebra

LEAST_FRACTION = 0.15  # [1] restores stiffness: Liebschner 2001, Spine 26:1547; not read
MOST_FRACTION = 0.30  # [1] largest share tested: Rotter 2015, Clin Biomech; more leaks
MOST_ML = 7.0  # [ml] above, pulmonary embolism needing oxygen 0.9 %: 10.1186/s13018-019-1459-4
CEMENT_PER_VOID = (
    1.0  # [1] FREE: 2.4 ml of balloon, 2.4 ml of cement: 10.1097/BRS.0b013e31828e8e22
)
SUM_ML = 0.05  # [ml] of rounding in a file
SOURCES = (
    "15 % restores stiffness (Liebschner 2001, Spine 26:1547: from memory, not confirmed), up to "
    "30 % tested (Rotter 2015, Clin Biomech); mean 2.4 ml a side, as much as the balloon (FREE, "
    "Van Meirhaeghe 2013, doi:10.1097/BRS.0b013e31828e8e22); above 7 ml more pulmonary cement "
    "(doi:10.1186/s13018-019-1459-4)"
)


def propose_fill(
    vertebra: Vertebra,
    trajectories: tuple[Trajectory, ...],
    inflations: tuple[Inflation, ...],
) -> Fill:
    """Propose the cement of one body, per side, from the voids and the body's own volume.

    The total is what the voids hold, raised to 15 % and held under 30 % of the body and under
    7 ml. Each side first gets what its void holds; what is left makes the sides as equal as it
    can, also where only one has a balloon: cement on one side lets the body toggle to the other.

    References
    ----------
    Liebschner MAK et al., Spine 2001;26:1547 (volume, and toggle under uneven filling): cited
    from memory, its text was not found and neither figure is confirmed.
    Rotter R et al., Clin Biomech 2015.
    Van Meirhaeghe J et al., Spine 2013, doi:10.1097/BRS.0b013e31828e8e22.
    Pulmonary cement by volume: doi:10.1186/s13018-019-1459-4.
    """
    sides = tuple(t.side for t in trajectories if t.accepted)
    if not sides:
        return _no_fill("no cannula is accepted")
    body = None if vertebra.body is None else vertebra.body.volume
    if body is None or body.value is None or body.low is None or body.high is None:
        why = vertebra.reason if body is None else body.reason
        return _no_fill(f"the body's volume is not known: {why}")
    voids = {side: _void_ml(side, inflations) for side in sides}
    least = min(LEAST_FRACTION * body.value, MOST_ML)
    most = min(MOST_FRACTION * body.value, MOST_ML)
    value = float(np.clip(CEMENT_PER_VOID * sum(voids.values()), least, most))
    low = min(LEAST_FRACTION * body.low, value)
    high = max(min(MOST_FRACTION * body.high, MOST_ML), value)
    total = _range(low, value, high, "ml")
    shares = _shares(voids, value)
    return Fill(
        left=_side(Side.LEFT, shares, total),
        right=_side(Side.RIGHT, shares, total),
        total=total,
        fraction=_range(
            100.0 * low / body.value,
            100.0 * value / body.value,
            100.0 * high / body.value,
            "%",
        ),
        basis=f"{_rule(sum(voids.values()), least, most)} of a body of {body.value:.1f} ml. "
        f"Sources: {SOURCES}.",
        accepted=True,
        reason="",
    )


def judge_fill(vertebra: Vertebra, fill: Fill, trajectories: tuple[Trajectory, ...]) -> Fill:
    """Judge somebody's own volumes of cement by the range of the evidence.

    ``trajectories`` are the judged cannulas: cement needs an accepted one on its side. Only the
    volumes count; what the plan says of its own range counts for nothing.
    """
    total = fill.total.value
    if total is None:
        return fill
    body = None if vertebra.body is None else vertebra.body.volume
    if body is None or body.value is None or body.low is None or body.high is None:
        why = vertebra.reason if body is None else body.reason
        return replace(fill, accepted=False, reason=f"the body's volume is not known: {why}")
    low, high = min(LEAST_FRACTION * body.low, MOST_ML), min(MOST_FRACTION * body.high, MOST_ML)
    reason = _broken_by_sides(fill, total, trajectories) or _broken_by_range(total, low, high)
    low, high = min(low, total), max(high, total)
    if total <= 0.0:
        return replace(fill, accepted=False, reason=reason)
    parts = {
        side: _range(drawn.value * low / total, drawn.value, drawn.value * high / total, "ml")
        if drawn.value is not None and drawn.value > 0.0
        else drawn
        for side, drawn in ((Side.LEFT, fill.left), (Side.RIGHT, fill.right))
    }
    return Fill(
        left=parts[Side.LEFT],
        right=parts[Side.RIGHT],
        total=_range(low, total, high, "ml"),
        fraction=_range(
            100.0 * low / body.value, 100.0 * total / body.value, 100.0 * high / body.value, "%"
        ),
        basis=f"as drawn, in a body of {body.value:.1f} ml. Sources: {SOURCES}.",
        accepted=not reason,
        reason=reason,
    )


def _broken_by_sides(fill: Fill, total: float, trajectories: tuple[Trajectory, ...]) -> str:
    reached = {t.side for t in trajectories if t.accepted}
    volumes = {Side.LEFT: fill.left.value, Side.RIGHT: fill.right.value}
    told = {side: volume for side, volume in volumes.items() if volume is not None}
    for side, volume in told.items():
        if volume < 0.0:
            return f"{side}: {volume:.1f} ml is no volume"
        if volume > 0.0 and side not in reached:
            return f"{side}: no accepted cannula leads there"
    if not reached:
        return "no cannula is accepted"
    if told and abs(sum(told.values()) - total) > SUM_ML:
        return f"the sides hold {sum(told.values()):.1f} ml, not {total:.1f} ml"
    return ""


def _broken_by_range(total: float, low: float, high: float) -> str:
    if total < low - SUM_ML:
        return f"{total:.1f} ml: less than {low:.1f} ml, the least that restores stiffness"
    if total > high + SUM_ML:
        return f"{total:.1f} ml: more than {high:.1f} ml, the most that is covered by evidence"
    return ""


def _void_ml(side: Side, inflations: tuple[Inflation, ...]) -> float:
    return sum(i.volume_ml for i in inflations if i.side is side and i.accepted)


def _shares(voids: dict[Side, float], total: float) -> dict[Side, float]:
    """Return each side's part of the cement: its void, then as equal as what is left allows.

    Examples
    --------
    >>> one = _shares({Side.LEFT: 2.4, Side.RIGHT: 0.0}, 4.0)
    >>> [round(4.0 * part, 3) for part in one.values()]
    [2.4, 1.6]
    """
    whole = sum(voids.values())
    if total <= whole:  # held under the voids
        return {side: void / whole for side, void in voids.items()}
    even = total / len(voids)
    fuller = {side: void for side, void in voids.items() if void > even}
    rest = (total - sum(fuller.values())) / max(len(voids) - len(fuller), 1)
    return {side: fuller.get(side, rest) / total for side in voids}


def _side(side: Side, shares: dict[Side, float], total: Measure) -> Measure:
    if side not in shares:
        return Measure.unknown("ml", "no accepted cannula on this side")
    part = shares[side]
    assert total.value is not None
    assert total.low is not None
    assert total.high is not None
    return _range(part * total.low, part * total.value, part * total.high, "ml")


def _rule(void: float, least: float, most: float) -> str:
    if void <= 0.0:
        return f"no balloon: {least:.1f} ml, the least that restores stiffness,"
    if void < least:
        return f"void {void:.1f} ml, raised to {least:.1f} ml, the least that restores stiffness,"
    if void > most:
        return f"void {void:.1f} ml, held at {most:.1f} ml, the most that is covered by evidence,"
    return f"void {void:.1f} ml, filled,"


def _range(low: float, value: float, high: float, unit: str) -> Measure:
    return Measure(
        value=value,
        low=low,
        high=high,
        unit=unit,
        confidence=Confidence.LOW,
        reason="range of the evidence, 15 to 30 % of the body and at most 7 ml, not a 95 % "
        "interval of a measurement",
    )


def _no_fill(why: str) -> Fill:
    nothing = Measure.unknown("ml", why)
    return Fill(
        left=nothing,
        right=nothing,
        total=nothing,
        fraction=Measure.unknown("%", why),
        basis=f"no proposal: {why}",
        accepted=False,
        reason=why,
    )
