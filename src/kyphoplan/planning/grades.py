"""Grades of a pedicle's breach, after Gertzbein and Robbins."""

from kyphoplan.case import GertzbeinRobbins
from kyphoplan.planning.limits import GRADES_MM


def grade_of(breach_mm: float) -> GertzbeinRobbins:
    """Grade a breach after Gertzbein and Robbins.

    Examples
    --------
    >>> [str(grade_of(mm)) for mm in (-0.5, 1.0, 2.0, 7.0)]
    ['A', 'B', 'C', 'E']
    """
    if breach_mm <= GRADES_MM[0]:
        return GertzbeinRobbins.A
    grades = list(GertzbeinRobbins)
    return next(
        (g for g, most in zip(grades[1:], GRADES_MM[1:], strict=False) if breach_mm < most),
        GertzbeinRobbins.E,
    )


def grades_between(least_mm: float, most_mm: float) -> tuple[GertzbeinRobbins, ...]:
    """Return all grades of breaches between two sizes [mm].

    Examples
    --------
    >>> [str(grade) for grade in grades_between(-0.4, 0.3)]
    ['A', 'B']
    """
    grades = list(GertzbeinRobbins)
    first, last = (grades.index(grade_of(breach)) for breach in (least_mm, most_mm))
    return tuple(grades[first : last + 1])
