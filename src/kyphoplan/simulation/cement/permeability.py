"""How easily a fluid moves between trabeculae, from how much bone there is."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.materials import (
    ANCHOR_FRACTION,
    BONE_MINERAL,
    GRAIN_MM,
    PERMEABILITY,
    SCATTER,
    TRANSVERSE_SHARE,
    VOID_PERMEABILITY_MM2,
)

DENSEST = 0.98  # [1] bone share beyond which nothing is gained by less permeability: solvable


def bone_fraction(
    density_mg_per_cm3: Array, mineral_mg_per_cm3: float = BONE_MINERAL.value
) -> Array:
    """Return the share of a voxel that is bone [1], from its mineral density.

    Examples
    --------
    >>> float(bone_fraction(np.array(115.0)))
    0.1
    """
    return np.clip(np.asarray(density_mg_per_cm3, float) / mineral_mg_per_cm3, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permeability:
    """Kozeny and Carman's dependence on porosity through one measured point.

    ``k = anchor g(b) / g(anchor_fraction)`` with ``g(b) = (1 - b)^3 / b^2`` for the bone share b,
    never above that of a void.

    Attributes
    ----------
    anchor : along the spine at the anchor's bone share [mm2].
    anchor_fraction : [1].
    transverse : across the spine, over that along it [1].
    scatter, grain_mm : standard deviation of its logarithm from place to place beyond what
        porosity explains [1], and over what distance it changes [mm]; none by value.
    seed : of the pattern of that scatter.

    References
    ----------
    Baroud G et al., J Biomech 2004;37:189.
    """

    anchor: float = PERMEABILITY.value
    anchor_fraction: float = ANCHOR_FRACTION.value
    transverse: float = TRANSVERSE_SHARE.value
    scatter: float = 0.0
    grain_mm: float = GRAIN_MM.value
    seed: int = 0

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Permeability":
        """Draw one from the ranges of what is known."""
        return cls(
            anchor=PERMEABILITY.drawn(rng),
            anchor_fraction=ANCHOR_FRACTION.drawn(rng),
            transverse=TRANSVERSE_SHARE.drawn(rng),
            scatter=SCATTER.drawn(rng),
            grain_mm=GRAIN_MM.drawn(rng),
            seed=int(rng.integers(2**31)),
        )

    def texture(self, shape: tuple[int, ...], edge_mm: float) -> Array:
        """Return a factor for each voxel of a block [1], alike for the same seed and shape.

        Examples
        --------
        >>> float(Permeability().texture((2, 2, 2), 1.0).mean())
        1.0
        """
        if self.scatter == 0.0:
            return np.ones(shape)
        noise = np.random.default_rng(self.seed).standard_normal(shape)
        smooth = ndimage.gaussian_filter(noise, 0.5 * self.grain_mm / edge_mm)
        return np.asarray(np.exp(self.scatter * smooth / smooth.std()))

    def along(self, bone: Array, void: Array, factor: Array | float = 1.0) -> Array:
        """Return the permeability along the spine [mm2] of voxels partly bone, partly void.

        Parameters
        ----------
        bone : share of bone in what is not void [1].
        void : share of void [1]; both side by side, so permeabilities add.
        factor : times as much between trabeculae as their share says [1], see `texture`.

        Examples
        --------
        >>> round(float(Permeability().along(np.array(0.12), np.array(0.0))), 4)
        0.0445
        """
        share = np.clip(bone, 1e-3, DENSEST)
        anchor = (1.0 - self.anchor_fraction) ** 3 / self.anchor_fraction**2
        spongy = factor * self.anchor * (1.0 - share) ** 3 / share**2 / anchor
        spongy = np.minimum(spongy, VOID_PERMEABILITY_MM2)
        return np.asarray((1.0 - void) * spongy + void * VOID_PERMEABILITY_MM2)

    def axes(self, bone: Array, void: Array, factor: Array | float = 1.0) -> Array:
        """Return it along i, j, k (3, ...) [mm2]; a void is alike in all directions."""
        along = self.along(bone, void, factor)
        across = along * (self.transverse + (1.0 - self.transverse) * void)
        return np.stack([across, across, along])


USUAL = Permeability()
