"""How bone resists: stiffness, strength and the shape of its yield surface, from its mineral."""

from dataclasses import dataclass, field

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.materials import (
    BONE_MINERAL,
    CRUSHED_HARDENING,
    MODULUS,
    PLASTIC_WIDENING,
    STRENGTH,
    DensityLaw,
    default,
)
from kyphoplan.simulation.operative_field import SOFT_MPA
from kyphoplan.simulation.plasticity import pulled, shape_factor

MOST_MINERAL = BONE_MINERAL.value  # [mg/cm3] of bone without pores: no crushed bone is denser
LEAST_YIELD_MPA = 1e-3  # [MPa] of bone without mineral


@dataclass(frozen=True, slots=True, kw_only=True)
class BoneLaw:
    """How bone resists.

    Attributes
    ----------
    modulus, strength : from mineral density [MPa].
    plastic_poisson : how much crushed bone widens [1].
    hardening : exponent by which crushed bone gets stronger with its density [1].
    soft_mpa : Young's modulus of what fills the rest [MPa].
    """

    modulus: DensityLaw = field(default_factory=lambda: default(MODULUS))
    strength: DensityLaw = field(default_factory=lambda: default(STRENGTH))
    plastic_poisson: float = PLASTIC_WIDENING.value
    hardening: float = CRUSHED_HARDENING.value
    soft_mpa: float = SOFT_MPA

    def factor(self, density: Array) -> Array:
        """Shape of the yield surface at a mineral density [mg/cm3]: without pores it is Mises'."""
        porous = np.maximum(1.0 - np.asarray(density) / MOST_MINERAL, 0.0)
        return np.asarray(shape_factor(self.plastic_poisson) * porous)

    def surface(self, density: Array, tension: Array) -> tuple[Array, Array]:
        """Shape and centre of the yield surface of bone that bears a share in tension [1]."""
        return pulled(self.factor(density), np.asarray(tension))

    def limit(self, density: Array, born: Array) -> Array:
        """Yield stress [MPa] of bone that is squeezed to a density from that it was born with.

        Examples
        --------
        >>> law = BoneLaw(hardening=0.5)
        >>> float(law.limit(np.array(400.0), np.array(100.0)) / law.strength(100.0))
        2.0
        """
        known = np.asarray(born) > 0.0
        ratio = np.maximum(density, 0.0) / np.where(known, born, 1.0)
        return np.asarray(np.where(known, self.strength(born) * ratio**self.hardening, 0.0))
