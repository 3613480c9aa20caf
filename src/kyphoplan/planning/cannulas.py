"""The cannulas: outer diameter by gauge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cannula:
    """A straight cannula.

    Attributes
    ----------
    name : how it is sold, such as ``10G``.
    outer_diameter_mm : [mm].

    Raises
    ------
    ValueError
        If the diameter is not that of an instrument for a pedicle.
    """

    name: str
    outer_diameter_mm: float

    def __post_init__(self) -> None:
        """Check."""
        if not 0.5 <= self.outer_diameter_mm <= 8.0:  # noqa: PLR2004 [mm]
            raise ValueError(
                f"outer_diameter_mm {self.outer_diameter_mm} mm: give a value between 0.5 and 8"
            )


# Outer diameters of the needle (Stubs) gauge, tolerance 0.025 mm: "Needle gauge comparison chart",
# Wikipedia, after the tables of New England Small Tube; 8G is the usual balloon introducer.
CANNULAS = (
    Cannula(name="8G", outer_diameter_mm=4.191),
    Cannula(name="10G", outer_diameter_mm=3.404),
    Cannula(name="11G", outer_diameter_mm=3.048),
    Cannula(name="13G", outer_diameter_mm=2.413),
)


def cannula_named(name: str) -> Cannula:
    """Return the cannula of a gauge.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> cannula_named("10g").outer_diameter_mm
    3.404
    """
    for cannula in CANNULAS:
        if cannula.name == name.strip().upper():
            return cannula
    choice = ", ".join(cannula.name for cannula in CANNULAS)
    raise ValueError(f"cannula {name!r}: not in the table: choose {choice}, or give a Cannula")
