"""How stiff cement is while it flows: thinner where it is sheared, stiffer by the minute."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.materials import FlowingCement

LEAST_SHEAR = 1e-2  # [1/s] below it the viscosity is level: cement at rest stays solvable


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """Cement at one moment: viscosity = consistency x shear rate^(index - 1).

    Attributes
    ----------
    consistency : [MPa s^index].
    index : [1].
    """

    consistency: float
    index: float

    def __call__(self, speed: Array, permeability: Array, porosity: Array) -> Array:
        """Return the viscosity [MPa s] in Darcy's law at a speed of filtration [mm/s].

        The pores are taken as a bundle of round tubes with the same permeability [mm2] and
        porosity [1]: radius ``sqrt(8 k / porosity)``, shear rate ``4 v / radius`` with
        ``v = speed / porosity``, and Rabinowitsch's factor for a power law.

        Examples
        --------
        >>> newton = PowerLaw(consistency=1e-4, index=1.0)
        >>> float(newton(np.array(3.0), np.array(0.04), np.array(0.9)))
        0.0001
        """
        shear = 4.0 * speed / np.sqrt(8.0 * permeability * porosity)
        factor = ((3.0 * self.index + 1.0) / (4.0 * self.index)) ** self.index
        thinned = np.maximum(shear, LEAST_SHEAR) ** (self.index - 1.0)
        return np.asarray(self.consistency * factor * thinned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curing:
    """A cement with all its numbers chosen; see `FlowingCement`."""

    consistency: float
    reference_s: float
    doubling_s: float
    index: float
    stiffest: float

    @classmethod
    def of(cls, cement: FlowingCement, rng: np.random.Generator | None = None) -> "Curing":
        """Take the values of a cement, or draw them from their ranges."""
        numbers = {
            name: quantity.value if rng is None else quantity.drawn(rng)
            for name, quantity in (
                ("consistency", cement.consistency),
                ("doubling_s", cement.doubling_s),
                ("index", cement.index),
            )
        }
        return cls(reference_s=cement.reference_s, stiffest=cement.stiffest, **numbers)

    def at(self, time_s: float) -> PowerLaw:
        """Return the cement at a time after mixing [s].

        Examples
        --------
        >>> curing = Curing(
        ...     consistency=1.0, reference_s=60.0, doubling_s=30.0, index=1.0, stiffest=9.0
        ... )
        >>> curing.at(120.0).consistency
        4.0
        """
        growth = 2.0 ** ((time_s - self.reference_s) / self.doubling_s)
        return PowerLaw(consistency=self.consistency * growth, index=self.index)
