"""The names of the vertebrae, from head to tail."""

from enum import IntEnum


class Level(IntEnum):
    """Which vertebra. Larger is further caudal; T13 and L6 exist in some people.

    The numbers are ours alone (hundreds = region), so that none can be taken for a label value
    of a segmentation tool.

    Examples
    --------
    >>> Level.T12 < Level.T13 < Level.L1
    True
    >>> Level.parse("l1"), Level.L1.region
    (<Level.L1: 301>, 'lumbar')
    """

    C1, C2, C3, C4, C5, C6, C7 = range(101, 108)
    T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13 = range(201, 214)
    L1, L2, L3, L4, L5, L6 = range(301, 307)
    S1 = 401

    def __str__(self) -> str:
        """Return the clinical name, such as ``L1``."""
        return self.name

    @classmethod
    def parse(cls, name: str) -> "Level":
        """Read a clinical name, any case.

        Raises
        ------
        ValueError
            If it is not the name of a vertebra.
        """
        try:
            return cls[name.strip().upper()]
        except KeyError:
            raise ValueError(
                f"level {name!r} is not a vertebra: use names such as T12 or L1"
            ) from None

    @property
    def region(self) -> str:
        """Return the part of the spine: cervical, thoracic, lumbar or sacral."""
        return {1: "cervical", 2: "thoracic", 3: "lumbar", 4: "sacral"}[self.value // 100]

    @property
    def rank(self) -> float:
        """Return the place from the head in the common count: C1 is 0, L5 is 23, T13 is 18.5.

        The extra levels T13 and L6 stand half a step below the level they follow.
        """
        if self in _ADDED_AFTER:
            return _ADDED_AFTER[self].rank + 0.5
        return float(_COMMON.index(self))


_COMMON = tuple(level for level in Level if level not in (Level.T13, Level.L6))
_ADDED_AFTER = {Level.T13: Level.T12, Level.L6: Level.L5}


def follows(upper: Level, lower: Level) -> bool:
    """Say whether ``lower`` can be the next vertebra below ``upper`` (T13 and L6 may be absent).

    Examples
    --------
    >>> follows(Level.T12, Level.L1), follows(Level.T13, Level.L1), follows(Level.T12, Level.L2)
    (True, True, False)
    """
    order = list(Level)
    between = order[order.index(upper) + 1 : order.index(lower)]
    return lower > upper and all(level in _ADDED_AFTER for level in between)
