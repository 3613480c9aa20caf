"""What bone, cement and discs are made of: every number with its source and how it is known."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from kyphoplan.geometry import Array


class Status(StrEnum):
    """How a number is known; one from memory is never a default."""

    READ = "read in its source"
    SECONDARY = "read in a work that uses it"
    MEMORY = "from memory: check it against its source before use"


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityLaw:
    """A stress as a power of mineral density: ``offset + factor (density / 1 g/cm3)^exponent``.

    Attributes
    ----------
    name : how it is chosen.
    factor, exponent, offset : coefficients [MPa, 1, MPa].
    spread : standard deviation of the result, relative [1]; None if the source gives none.
    source : where it stands.
    status : how it is known.
    """

    name: str
    factor: float
    exponent: float
    source: str
    status: Status
    offset: float = 0.0
    spread: float | None = None

    def __call__(self, density_mg_per_cm3: Any) -> Array:
        """Return the stress [MPa] at a mineral density [mg/cm3]; 0 where there is no mineral.

        Examples
        --------
        >>> float(MODULUS["walle"](1000.0))
        2980.0
        """
        mineral = np.maximum(np.asarray(density_mg_per_cm3, float) / 1000.0, 0.0)
        stress = self.offset + self.factor * mineral**self.exponent
        return np.asarray(np.where(mineral > 0.0, np.maximum(stress, 0.0), 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A material that does not depend on the CT.

    Attributes
    ----------
    modulus, poisson, strength : Young's modulus [MPa], Poisson's ratio [1], yield stress [MPa];
        a strength that is infinite means that it is not asked where the material gives way.
    source, status : where the numbers stand; the status is that of the least known of them.
    """

    modulus: float
    poisson: float
    strength: float
    source: str
    status: Status


_WALLE = "Walle, Matheson & Boyd 2025, doi:10.1101/2025.04.19.649449, as its data set describes it"
_PEER = "spine workflow of the peer solver ParOSol, version 0.1.26"

MODULUS = {
    law.name: law
    for law in (
        DensityLaw(
            name="walle", factor=2980.0, exponent=1.05, source=_WALLE, status=Status.SECONDARY
        ),
        DensityLaw(
            name="kopperdahl",
            factor=3230.0,
            exponent=1.0,
            offset=-34.7,
            source="Kopperdahl, Morgan & Keaveny 2002, J Orthop Res 20:801, as the public codes "
            "QCTMA and Ogo have it (Ogo names Crawford 2003 for it)",
            status=Status.SECONDARY,
        ),
        DensityLaw(
            name="morgan",
            factor=4730.0,
            exponent=1.56,
            source="Morgan, Bayraktar & Keaveny 2003, doi:10.1016/s0021-9290(03)00071-x, as a "
            "spine model in Int J Spine Surg (its table 1), QCTMA and Ogo have it; the density "
            "is apparent density there",
            status=Status.SECONDARY,
        ),
    )
}
STRENGTH = {
    law.name: law
    for law in (
        DensityLaw(
            name="walle", factor=37.4, exponent=1.39, source=_WALLE, status=Status.SECONDARY
        ),
        DensityLaw(
            name="parosol", factor=57.4464, exponent=1.39, source=_PEER, status=Status.SECONDARY
        ),
    )
}
LEAST_MODULUS_MPA = 1e-4  # [MPa] of a voxel of bone without mineral; source: as MODULUS["walle"]
BONE_POISSON = 0.3  # [1] source: as MODULUS["walle"]

PMMA = Material(modulus=2500.0, poisson=0.3, strength=70.0, source=_WALLE, status=Status.SECONDARY)
CEMENT = Material(
    modulus=1937.0,
    poisson=0.3,
    strength=70.0,
    source="PMC3698342: 1937 +- 478 MPa (ISO 5833); ratio and strength as PMMA",
    status=Status.READ,
)

_LUMBAR = "lumbar model, doi:10.1155/2013/705185, table 1"
ANNULUS = Material(
    modulus=4.2,
    poisson=0.45,
    strength=float("inf"),
    source=f"{_LUMBAR}: ground substance; its fibres are left out here",
    status=Status.SECONDARY,
)
NUCLEUS = Material(
    modulus=1.0,
    poisson=0.49,
    strength=float("inf"),
    source=f"{_LUMBAR}, footnote: the elastic analysis",
    status=Status.SECONDARY,
)
WHOLE_DISC = Material(
    modulus=8.0,
    poisson=0.45,
    strength=float("inf"),
    source="vertebrae between simulated discs, PMC3415303: 8 MPa, beside PMMA of 2500 MPa; "
    "the ratio as ANNULUS",
    status=Status.SECONDARY,
)
MARROW = Material(
    modulus=0.01,
    poisson=0.49,
    strength=0.0,
    source="10 kPa: Kosmopoulos & Keller 2004, doi:10.1007/s00586-003-0651-7; measured 0.25 to "
    "24.7 kPa in porcine marrow, doi:10.1016/j.jmbbm.2015.06.023; the ratio from memory",
    status=Status.MEMORY,
)
MATERIALS = {
    "cement caps": PMMA,
    "bone cement": CEMENT,
    "annulus": ANNULUS,
    "nucleus": NUCLEUS,
    "whole disc": WHOLE_DISC,
    "marrow": MARROW,
}


def default(laws: dict[str, DensityLaw]) -> DensityLaw:
    """Return the first law that is not from memory."""
    return next(law for law in laws.values() if law.status is not Status.MEMORY)
