"""What a rule is told: an answer with the fact behind it and what is missing for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from kyphoplan.case import Answer, Level, Measure, Measurements, Patient, VertebraMeasures


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a question, the fact it rests on, and what is missing for it.

    Combined with ``&``, ``|`` and ``~`` as `Answer` is; only the facts that bear on the result are
    kept.
    """

    answer: Answer
    fact: str
    missing: tuple[str, ...] = ()

    def __or__(self, other: "Told") -> "Told":
        """Return yes if either is."""
        answer = self.answer | other.answer
        bearing = [told for told in (self, other) if told.answer is answer]
        facts = dict.fromkeys(told.fact for told in bearing if told.fact)
        missing = dict.fromkeys(name for told in bearing for name in told.missing)
        return Told(answer, ", ".join(facts), tuple(missing))

    def __and__(self, other: "Told") -> "Told":
        """Return yes if both are."""
        return ~(~self | ~other)

    def __invert__(self) -> "Told":
        """Swap yes and no."""
        return replace(self, answer=~self.answer)

    def saying(self, fact: str) -> "Told":
        """Return the same with another fact in words, if the answer is known."""
        return self if self.answer is Answer.UNKNOWN else replace(self, fact=fact)


def any_told(*told: Told) -> Told:
    """Return yes if any is yes."""
    result = told[0]
    for one in told[1:]:
        result = result | one
    return result


def known(yes: bool, fact: str) -> Told:
    """Return what is known for certain."""
    return Told(Answer.of(yes), fact)


def unknown(name: str, fact: str = "") -> Told:
    """Return what nobody has said."""
    return Told(Answer.UNKNOWN, fact or f"{in_words(name)}: not known", (name,))


def counted(levels: int) -> str:
    """Return a number of levels in words.

    Examples
    --------
    >>> counted(1), counted(3)
    ('1 level', '3 levels')
    """
    return f"{levels} {'level' if levels == 1 else 'levels'}"


def in_words(path: str) -> str:
    """Return the path of a field as words.

    Examples
    --------
    >>> in_words("laboratory.inr_on")
    'laboratory inr on'
    """
    return path.replace(".", " ").replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the rules are given.

    Attributes
    ----------
    levels : the vertebrae that are asked about.
    level, figures : the vertebra at hand and its figures; None for rules of the whole patient, or
        if it was not measured.
    """

    patient: Patient
    measurements: Measurements | None
    levels: tuple[Level, ...]
    level: Level | None = None
    figures: VertebraMeasures | None = None

    def field(self, path: str) -> Any:
        """Return a field of the record by its path, such as ``laboratory.inr``."""
        value: Any = self.patient
        for name in path.split("."):
            value = getattr(value, name)
        return value

    def says(self, path: str) -> Told:
        """Return a yes-or-no answer of the record."""
        answer: Answer = self.field(path)
        if answer is Answer.UNKNOWN:
            return unknown(path)
        return Told(answer, f"{in_words(path)}: {answer}")

    def any(self, *paths: str) -> Told:
        """Return yes if any of the answers is yes."""
        return any_told(*(self.says(path) for path in paths))

    def among(self, path: str, *members: Enum) -> Told:
        """Return whether a word of the record is one of these."""
        value = self.field(path)
        if value.value == "unknown":
            return unknown(path)
        return known(value in members, f"{in_words(path)}: {value.value}")

    def number(self, path: str, holds: Callable[[float], bool], unit: str = "") -> Told:
        """Return whether a number of the record keeps a condition."""
        value = self.field(path)
        if value is None:
            return unknown(path)
        return known(holds(value), f"{in_words(path)}: {value:g}{' ' + unit if unit else ''}")

    def within(self, days: float, did: Told, path: str) -> Told:
        """Return whether something happened less than so many days before the record."""
        ago = self.patient.days_since(self.field(path))
        recent = (
            unknown(path)
            if ago is None
            else known(ago < days, f"{in_words(path)}: {ago} days ago")
        )
        return did & recent

    def measured(self, name: str, holds: Callable[[Measure], bool]) -> Told:
        """Return whether a measured figure of the level keeps a condition.

        The condition is given the whole figure, so that the unfavourable end of its interval can
        decide.
        """
        measure: Measure | None = None if self.figures is None else getattr(self.figures, name)
        title = name.replace("_", " ")
        if measure is None or measure.value is None:
            reason = "not measured" if measure is None else measure.reason
            return unknown(f"image: {title}", f"{title}: {reason}")
        return known(
            holds(measure),
            f"{title} {measure.value:.1f} {measure.unit} "
            f"[{measure.low:.1f} to {measure.high:.1f}]",
        )


def reaches(limit: float) -> Callable[[Measure], bool]:
    """Return the condition that a figure or the upper end of its interval reaches a limit."""
    return lambda measure: measure.high is not None and measure.high >= limit


def may_exceed(limit: float) -> Callable[[Measure], bool]:
    """Return the condition that a figure or the upper end of its interval lies above a limit."""
    return lambda measure: measure.high is not None and measure.high > limit


def exceeds(limit: float) -> Callable[[Measure], bool]:
    """Return the condition that the whole interval of a figure lies above a limit."""
    return lambda measure: measure.low is not None and measure.low > limit
