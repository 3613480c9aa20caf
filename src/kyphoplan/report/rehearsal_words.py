"""The figures of a rehearsal in a surgeon's words, in groups, with as many digits as they bear."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kyphoplan.case import Measure
from kyphoplan.report.wording import decimal, unit_sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure as the page shows it."""

    title: str
    value: str
    interval: str
    reason: str


GROUPS: Mapping[str, Mapping[str, str]] = {
    "Balloons and void": {
        "largest_pressure": "largest pressure",
        "inflated_volume": "volume of both balloons",
        "void_volume": "void that remains",
        "left_void_volume": "void on the patient's left",
        "right_void_volume": "void on the patient's right",
        "crushing_work": "work spent on crushing bone",
        "posterior_wall_strain": "crushing of the posterior wall",
        "posterior_wall_breach": "runs in which the posterior wall gives way",
        "bone_gave_way": "runs in which the bone gives way and the balloons are stopped",
    },
    "Height regained": {
        "anterior_height_gain": "anterior height, in the mid-sagittal plane",
        "middle_height_gain": "middle height, there",
        "posterior_height_gain": "posterior height, there",
        "inflated_middle_height_gain": "middle height while inflated, there",
        "mean_lift": "lift of the upper endplate over the lower, on average",
        "largest_lift": "lift where it is largest, over a balloon",
        "wedge_change": "change of the wedge angle (less is negative)",
        "segment_change": "change of the kyphosis angle (less is negative)",
    },
    "Cement": {
        "cement_injected": "injected",
        "cement_void": "in the void",
        "cement_trabeculae": "between trabeculae",
        "cement_leaked": "outside the bone, in all",
        "cement_basivertebral": "in the basivertebral vein",
        "cement_segmental": "in segmental veins",
        "cement_cortical": "through gaps of the cortex",
        "cement_fracture": "through the fracture",
        "cement_disc": "in a disc",
        "cement_canal": "in the spinal canal",
        "cement_track": "back along a cannula",
        "fill_fraction": "of the body",
        "interdigitation": "of the cement inside lies between trabeculae",
        "cement_left_share": "of the cement inside lies on the patient's left",
        "cement_pressure": "pressure at the mouth of the cannula",
    },
    "Strength": {
        "stiffness_before": "stiffness before",
        "stiffness_after": "stiffness after",
        "stiffness_healed": "stiffness as if healed",
        "stiffness_ratio": "stiffness, times that before",
        "stiffness_of_healed": "stiffness, times that as if healed",
        "failure_load_before": "load borne before",
        "failure_load_after": "load borne after",
        "failure_load_healed": "load borne as if healed",
        "failure_load_ratio": "load borne, times that before",
        "failure_load_of_healed": "load borne, times that as if healed",
        "neighbour_peak_ratio_above": "peak pressure on the neighbour above, times that before",
        "neighbour_peak_ratio_below": "peak pressure on the neighbour below, times that before",
    },
}
SHARES = ("posterior_wall_strain", "posterior_wall_breach", "bone_gave_way")  # of one, told in %
DIGITS = {"mm": 1, "deg": 1, "ml": 2, "bar": 2, "%": 0, "J": 1, "1": 2}
THOUSANDS = -2  # [1] digits of a load in N or a stiffness in N/mm: hundreds


def lines(
    figures: Mapping[str, Measure], as_planned: Mapping[str, float]
) -> Iterator[tuple[str, list[Line]]]:
    """Yield the groups with those of their figures that are there.

    Parameters
    ----------
    as_planned : what the one run came to, told where nothing is estimated.
    """
    for group, words in GROUPS.items():
        there = [
            line(title, figures[name], share=name in SHARES, once=as_planned.get(name))
            for name, title in words.items()
            if name in figures
        ]
        if there:
            yield group, there


def line(title: str, measure: Measure, *, share: bool = False, once: float | None = None) -> Line:
    """Write one figure; ``share`` tells one of 1 in per cent, ``once`` what a single run came to.

    Examples
    --------
    >>> from kyphoplan.case import Confidence, Measure
    >>> seen = Measure(
    ...     value=0.15, low=0.04, high=0.35, unit="1", confidence=Confidence.LOW, reason="draws"
    ... )
    >>> told = line("in a vein", seen, share=True)
    >>> told.value, told.interval
    ('15 %', '4 to 35')
    >>> line("void", Measure.unknown("ml", "not estimated"), once=1.2).value
    'once 1.20 ml'
    """
    unit, times = ("%", 100.0) if share else (measure.unit, 1.0)
    if measure.value is None or measure.low is None or measure.high is None:
        if once is None:
            return Line(title=title, value="cannot tell", interval="", reason=measure.reason)
        told = f"once {_number(times * once, unit, sign=True)}"
        return Line(title=title, value=told, interval="not estimated", reason=measure.reason)
    low, high = _number(times * measure.low, unit), _number(times * measure.high, unit)
    return Line(
        title=title,
        value=_number(times * measure.value, unit, sign=True),
        interval=f"{low} to {high}",
        reason=measure.reason,
    )


def _number(value: float, unit: str, *, sign: bool = False) -> str:
    digits = DIGITS.get(unit, THOUSANDS)
    number = decimal(value, digits) if digits >= 0 else f"{round(value, digits):.0f}"
    return number + (unit_sign(unit) if sign and unit != "1" else "")
