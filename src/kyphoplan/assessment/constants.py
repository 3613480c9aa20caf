"""A number that is used in a score, with its unit, its source and how it is known."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """One number of a published score.

    Attributes
    ----------
    rule : under which it stands in `docs/evidence/`.
    name, value, unit : what it is.
    cite, provenance : as for an `item.Item`.
    """

    rule: str
    name: str
    value: float
    unit: str
    cite: tuple[str, ...]
    provenance: str


def table(
    rule: str, cite: str, provenance: str, values: dict[str, float], unit: str = "point"
) -> dict[str, Constant]:
    """Return the numbers of one printed table, by name.

    Examples
    --------
    >>> table("RCRI", "Lee1999", "S2", {"insulin": 1})["insulin"].value
    1
    """
    return {
        name: Constant(rule, name, value, unit, (cite,), provenance)
        for name, value in values.items()
    }
