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
    ASSUMED = "assumed: no source was read, so it is drawn over a wide range"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with the range that a Monte-Carlo draws it from.

    Attributes
    ----------
    value, low, high : the number and its range, in ``unit``.
    source, status : where it stands and how it is known.
    """

    value: float
    low: float
    high: float
    unit: str
    source: str
    status: Status

    def __post_init__(self) -> None:
        """Check the range."""
        if not 0.0 < self.low <= self.value <= self.high:
            raise ValueError(f"{self.low} <= {self.value} <= {self.high} {self.unit} must hold")

    def drawn(self, rng: np.random.Generator) -> float:
        """Draw from the range, every factor alike likely: only the range is known.

        Examples
        --------
        >>> PORT = Quantity(value=2.0, low=1.0, high=4.0, unit="1", source="", status=Status.READ)
        >>> 1.0 <= PORT.drawn(np.random.default_rng(1)) <= 4.0
        True
        """
        return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))


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


# What flows, in mm, MPa and s: 1 Pa s = 1e-6 MPa s, 1 m2 = 1e6 mm2.


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowingCement:
    """A cement while it flows: shear-thinning, and stiffer by the minute.

    Viscosity at a shear rate g: ``consistency 2^((t - reference) / doubling) g^(index - 1)``.

    Attributes
    ----------
    name : how it is chosen.
    consistency : [MPa s^index] at the reference time, equal to the viscosity at 1/s.
    reference_s : that time after mixing [s].
    doubling_s : in which it doubles [s].
    index : of shear-thinning [1]; 1 is Newtonian.
    stiffest : consistency above which it does not flow any more [MPa s^index].
    """

    name: str
    consistency: Quantity
    reference_s: float
    doubling_s: Quantity
    index: Quantity
    stiffest: float


_GUESSED = (
    "order of magnitude for acrylic cement in vertebroplasty, no table of it could be read; "
    "rotational rheometers slip, doi:10.48550/arXiv.2312.11426"
)


def _assumed(value: float, low: float, high: float, unit: str, source: str) -> Quantity:
    return Quantity(
        value=value, low=low, high=high, unit=unit, source=source, status=Status.ASSUMED
    )


_INDEX = _assumed(0.6, 0.4, 0.9, "1", _GUESSED)
_DOUBLING = _assumed(120.0, 60.0, 240.0, "s", _GUESSED)
TOO_STIFF_MPA_S = 2e-3  # [MPa s^n] = 2000 Pa s^n: dough, does not pass a cannula; assumed
CEMENTS = {
    cement.name: cement
    for cement in (
        FlowingCement(
            name="high viscosity",
            consistency=_assumed(300e-6, 100e-6, 900e-6, "MPa s^n", _GUESSED),
            reference_s=210.0,
            doubling_s=_DOUBLING,
            index=_INDEX,
            stiffest=TOO_STIFF_MPA_S,
        ),
        FlowingCement(
            name="low viscosity",
            consistency=_assumed(30e-6, 10e-6, 90e-6, "MPa s^n", _GUESSED),
            reference_s=210.0,
            doubling_s=_DOUBLING,
            index=_INDEX,
            stiffest=TOO_STIFF_MPA_S,
        ),
    )
}
MARROW_VISCOSITY = Quantity(
    value=79e-9,
    low=44e-9,
    high=142e-9,
    unit="MPa s",
    source="44 to 142 mPa s, 19 men, Biorheology 2011;48:89, doi:10.3233/BIR-2011-0587 "
    "(abstract); femoral; the value is the geometric mean of the range",
    status=Status.READ,
)
PERMEABILITY = Quantity(  # along the spine, of bone of ANCHOR_FRACTION
    value=0.0445,
    low=0.002,
    high=0.0782,
    unit="mm2",
    source="4.45 +- 1.72 e-8 m2, 20 lumbar cores, superior-inferior: Baroud 2004, J Biomech "
    "37:189 (abstract); high: 1.96 standard deviations. Others found less: at most 2.0e-8 at any "
    "site (Nauman 1999, Ann Biomed Eng 27:517, abstract), 4.8 +- 3.7 e-10 in 23 human tibiae "
    "(2014, abstract). Low: a tenth of Nauman's most; 0.0108 until leaks were seen to be too few",
    status=Status.READ,
)
TRANSVERSE_SHARE = Quantity(
    value=0.78,
    low=0.4,
    high=1.0,
    unit="1",
    source="antero-posterior 78 % of superior-inferior: Baroud 2004 (abstract); left-right is "
    "taken alike. Low: anisotropy 2.05, Nauman 1999, Ann Biomed Eng 27:517 (abstract)",
    status=Status.READ,
)
SCATTER = _assumed(
    0.4, 0.2, 0.8, "1", "standard deviation of the logarithm of permeability from place to place. "
    "Among cores 0.37: 4.45 +- 1.72 e-8 m2, and mineral density predicts it weakly (Baroud 2004, "
    "abstract); within a body it is assumed",
)  # fmt: skip
GRAIN_MM = _assumed(3.0, 2.0, 6.0, "mm", "distance over which that changes")
ANCHOR_FRACTION = _assumed(
    0.12, 0.08, 0.16, "1", "bone share of Baroud's cores: its table could not be read"
)
BONE_MINERAL = _assumed(
    1150.0, 950.0, 1300.0, "mg/cm3", "mineral of the bone itself, between its pores"
)
VOID_PERMEABILITY_MM2 = 4.0  # [mm2] of a void: radius^2 / 8 of a round one, here 5.7 mm or 0.8 ml
SHELL_PERMEABILITY = _assumed(
    1e-7,
    1e-8,
    1e-6,
    "mm2",
    "of cortex and endplate to marrow; cement does not pass its pores",
)
SHELL_MM = _assumed(0.5, 0.3, 1.0, "mm", "thickness of cortex and endplate")
_CHANNELS = (
    "large, tortuous channels, greatly enlarged in age: Gray, Anatomy (1918) p. 668; no calibre "
    "was read"
)
BASIVERTEBRAL_MM = _assumed(
    1.2, 0.5, 2.7, "mm", f"radius of the basivertebral vein in its canal; {_CHANNELS}. High: it "
    "fills the height of its mouth, 5.4 +- 1.1 mm on CT of 107 broken lumbar bodies (He 2023, "
    "10.13418/j.issn.1001-165x.2023.3.07, abstract)",
)  # fmt: skip
SEGMENTAL_MM = _assumed(
    0.6, 0.2, 1.5, "mm", "radius of the channels in the bone and through front and sides; "
    f"{_CHANNELS}. So wide because CT shows cement in the plexus in front of 46 of 80 vertebrae "
    "(VERTOS II, PMC3016147), which needs a way; not fitted to that share",
)  # fmt: skip
BASIVERTEBRAL_DEPTH = Quantity(
    value=0.22,
    low=0.12,
    high=0.4,
    unit="1",
    source="depth of the basivertebral canal over that of the body, means of 12 to 21.8 % by "
    "level in dry bones: Tzika 2021, Surg Radiol Anat (abstract); high: two fifths, 12.4 +- 2.1 "
    "mm on CT of 107 broken lumbar bodies (He 2023, abstract)",
    status=Status.READ,
)
VEIN_MM = _assumed(5.0, 1.0, 20.0, "mm", "length of vein outside the bone that resists cement")
TRACK_GAP_MM = _assumed(0.1, 0.03, 0.3, "mm", "between cannula and bone")
HIDDEN_GAPS = _assumed(
    3.0, 1.0, 10.0, "1", "mean number of gaps in a fractured body too small for the CT"
)
HIDDEN_MM2 = _assumed(1.5, 0.3, 6.0, "mm2", "their area; larger ones are found in the CT")
FRACTURE_GAP_MM = _assumed(0.2, 0.05, 1.0, "mm", "opening of a crack around the body")
ENDPLATE_BROKEN = Quantity(
    value=0.765,
    low=0.61,
    high=0.8,
    unit="1",
    source="bodies with a broken endplate on MR: 179 of 234 before vertebroplasty, and no cement "
    "in a disc without it (136 patients, abstract); low: 103 of 168 (MR); high: 80 % of 211,"
    " PMC7964944",
    status=Status.READ,
)
OTHER_BROKEN = Quantity(
    value=0.43,
    low=0.29,
    high=0.7,
    unit="1",
    source="both endplates broken in 29 % of 211 bodies, the superior alone in 39, the inferior "
    "alone in 12: PMC7964944. The value is 29 of 68, high 29 of 41; low: 29 of all",
    status=Status.READ,
)
ENDPLATE_GAP_MM = _assumed(
    0.5, 0.2, 1.5, "mm", "opening of a break of the endplate that MR shows: a third of a pixel of "
    "0.6 mm at least; wider ones CT shows as gaps",
)  # fmt: skip
CRACK_SHARE = _assumed(0.3, 0.1, 1.0, "1", "open part of the length of such a crack")
DISC_RESISTANCE = _assumed(
    10.0, 1.0, 100.0, "1", "times the gap of the endplate alone: the disc's own tissue"
)
FIRST_DROP_S = _assumed(240.0, 180.0, 320.0, "s", "from mixing to the first drop")
INJECTION_ML_PER_S = _assumed(0.05, 0.02, 0.1, "ml/s", "rate of injection: 3 ml/min, 1.2 to 6")
FLOWING = {
    "marrow viscosity": MARROW_VISCOSITY,
    "permeability along the spine": PERMEABILITY,
    "permeability across, share": TRANSVERSE_SHARE,
    "scatter of permeability": SCATTER,
    "grain of that scatter": GRAIN_MM,
    "bone share of the cores": ANCHOR_FRACTION,
    "mineral of solid bone": BONE_MINERAL,
    "permeability of the shell": SHELL_PERMEABILITY,
    "thickness of the shell": SHELL_MM,
    "radius of the basivertebral vein": BASIVERTEBRAL_MM,
    "depth of the basivertebral canal, share": BASIVERTEBRAL_DEPTH,
    "radius of the channels to front and sides": SEGMENTAL_MM,
    "length of the veins outside": VEIN_MM,
    "gap beside the cannula": TRACK_GAP_MM,
    "hidden gaps of the shell": HIDDEN_GAPS,
    "area of a hidden gap": HIDDEN_MM2,
    "opening of a crack around the body": FRACTURE_GAP_MM,
    "share of endplates broken where they went down": ENDPLATE_BROKEN,
    "share of the others broken": OTHER_BROKEN,
    "opening of a broken endplate": ENDPLATE_GAP_MM,
    "open part of a crack": CRACK_SHARE,
    "resistance of the disc": DISC_RESISTANCE,
    "first drop after mixing": FIRST_DROP_S,
    "rate of injection": INJECTION_ML_PER_S,
}

# What the rehearsal of balloons assumes where a CT shows nothing.

HU_SLOPE = _assumed(
    0.85, 0.65, 1.05, "mg/cm3/HU", "a scanner without calibration; internal calibrations of spine "
    "scans give 0.8 to 1.0",
)  # fmt: skip
FRACTURE_KEPT = _assumed(
    0.1, 0.02, 1.0, "1", "share of stiffness and strength that the broken shell has kept: 1 is "
    "healed, which CT does not show",
)  # fmt: skip
SPONGY_KEPT = Quantity(
    value=0.89,
    low=0.47,
    high=1.0,
    unit="1",
    source="load that L3 bodies crushed by 25 % bore when pressed again: 0.89 +- 0.19, 0.47 to "
    "1.21 of before, Wegrzyn 2011, PMC3179325; of whole bodies, used for the spongy bone that was "
    "crushed; more than before is not taken",
    status=Status.READ,
)
SPONGY_STIFFNESS = Quantity(
    value=0.154,
    low=0.068,
    high=0.48,
    unit="1",
    source="stiffness that the same bodies kept: 0.47, 0.24 to 0.98. If their crushed part, now a "
    "third of their height, had been half of it, it kept 0.25 / (1 / share - 0.5)",
    status=Status.READ,
)
RUBBLE_TENSION = _assumed(
    0.03, 0.01, 0.1, "1", "strength in tension over that in compression of freshly broken bone, "
    "rubble held by marrow: no measured value was found. Ground bone is told as soil that bears "
    "none (modified Cam clay: Lunde 2009; cap: Phillips 2006, abstracts); whole bone bears 0.7 in "
    "tension (bovine tibia: Keaveny 1994, pubmed 7929462), and is taken as 1 here",
)  # fmt: skip
COLUMN_MPA_PER_MM = _assumed(
    0.3, 0.1, 1.0, "MPa/mm", "pressure on a neighbour that shifts it by a millimetre: ligaments, "
    "facets, muscles of a patient who lies prone",
)  # fmt: skip
PLASTIC_WIDENING = _assumed(
    0.2, 0.05, 0.35, "1", "plastic Poisson's ratio of crushing bone; a foam's is near 0"
)
CRUSHED_HARDENING = _assumed(
    0.4, 0.1, 1.39, "1", "exponent by which bone that is crushed gets stronger with its density. "
    "High: as strong as whole bone of that density (the exponent of MODULUS and STRENGTH's laws); "
    "low: the plateau of a foam, as trabecular bone shows it (Gibson & Ashby 1997, from memory). "
    "The value is the geometric mean of both",
)  # fmt: skip
CEMENT_MPA = Quantity(
    value=1937.0,
    low=1000.0,
    high=2874.0,
    unit="MPa",
    source="PMC3698342: 1937 +- 478 MPa; range: 1.96 standard deviations. Bone between hardened "
    "cement does not reinforce it: Kinzl 2012, doi:10.1016/j.jbiomech.2012.02.012 (abstract)",
    status=Status.READ,
)
REHEARSED = {
    "density per HU": HU_SLOPE,
    "strength kept by the broken shell": FRACTURE_KEPT,
    "strength kept by crushed spongy bone": SPONGY_KEPT,
    "stiffness kept by crushed spongy bone": SPONGY_STIFFNESS,
    "tension that broken bone bears": RUBBLE_TENSION,
    "hold of the column on a neighbour": COLUMN_MPA_PER_MM,
    "widening of crushing bone": PLASTIC_WIDENING,
    "hardening of crushed bone": CRUSHED_HARDENING,
    "modulus of hard cement": CEMENT_MPA,
}
