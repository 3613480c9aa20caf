"""Yes, no, or not known: a missing answer is never taken for a "no"."""

from enum import StrEnum


class Answer(StrEnum):
    """One answer, with the three-valued logic of Kleene: ``&``, ``|`` and ``~``.

    A definite result stays definite only if the missing answers could not change it; so leaving
    an answer out can turn a result into "unknown", never into its opposite.

    Examples
    --------
    >>> Answer.YES & Answer.UNKNOWN, Answer.NO & Answer.UNKNOWN
    (<Answer.UNKNOWN: 'unknown'>, <Answer.NO: 'no'>)
    >>> Answer.YES | Answer.UNKNOWN, ~Answer.UNKNOWN
    (<Answer.YES: 'yes'>, <Answer.UNKNOWN: 'unknown'>)
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, known: bool | None) -> "Answer":
        """Return the answer that a truth value, or its absence, stands for."""
        if known is None:
            return cls.UNKNOWN
        return cls.YES if known else cls.NO

    def __and__(self, other: "Answer") -> "Answer":
        """Return yes if both are yes, no if either is no."""
        if self is Answer.NO or other is Answer.NO:
            return Answer.NO
        return Answer.of(True if self is other is Answer.YES else None)

    def __or__(self, other: "Answer") -> "Answer":
        """Return yes if either is yes, no if both are no."""
        return ~(~self & ~other)

    def __invert__(self) -> "Answer":
        """Swap yes and no; unknown stays unknown."""
        return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(self, self)

    def __bool__(self) -> bool:
        """Refuse: an answer has three values, and ``if answer:`` would hide the third."""
        raise TypeError("an answer is not a truth value: compare it with Answer.YES or Answer.NO")


def any_of(*answers: Answer) -> Answer:
    """Return yes if any is yes, no if all are no.

    Examples
    --------
    >>> any_of(Answer.NO, Answer.UNKNOWN)
    <Answer.UNKNOWN: 'unknown'>
    """
    result = Answer.NO
    for answer in answers:
        result = result | answer
    return result


def all_of(*answers: Answer) -> Answer:
    """Return yes if all are yes, no if any is no.

    Examples
    --------
    >>> all_of(Answer.YES, Answer.UNKNOWN)
    <Answer.UNKNOWN: 'unknown'>
    """
    return ~any_of(*(~answer for answer in answers))
