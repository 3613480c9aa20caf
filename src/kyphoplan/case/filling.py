"""What became of the cement: where each tenth of a millilitre went, and why it stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array

REMAINDER_ML = 1e-9  # [ml] of rounding


class Site(StrEnum):
    """Where cement can be; the last seven are leaks."""

    VOID = "void"
    TRABECULAE = "trabeculae"
    BASIVERTEBRAL = "basivertebral vein"
    SEGMENTAL = "segmental vein"
    CORTICAL = "cortical gap"
    FRACTURE = "fracture line"
    DISC = "disc"
    CANAL = "spinal canal"
    TRACK = "cannula track"


INSIDE = (Site.VOID, Site.TRABECULAE)
LEAKS = tuple(site for site in Site if site not in INSIDE)
VENOUS = (Site.BASIVERTEBRAL, Site.SEGMENTAL)
POSTERIOR = (Site.BASIVERTEBRAL, Site.CANAL)


class Yeom(StrEnum):
    """Yeom's types of leak: through the basivertebral or a segmental vein, or the cortex.

    References
    ----------
    Yeom JS et al., J Bone Joint Surg Br 2003;85:83.
    """

    B = "B"
    S = "S"
    C = "C"


YEOM: Mapping[Site, Yeom | None] = {
    Site.BASIVERTEBRAL: Yeom.B,
    Site.SEGMENTAL: Yeom.S,
    Site.CORTICAL: Yeom.C,
    Site.FRACTURE: Yeom.C,
    Site.DISC: Yeom.C,
    Site.CANAL: Yeom.C,
    Site.TRACK: None,
}
WAY_ON: Mapping[Site, str] = {
    Site.BASIVERTEBRAL: "basivertebral vein, internal vertebral plexus (canal), intervertebral "
    "and lumbar or intercostal veins, caval or azygos vein, right heart, lungs",
    Site.SEGMENTAL: "segmental (lumbar or intercostal) vein, caval or azygos vein, right heart, "
    "lungs",
    Site.CORTICAL: "beside the vertebra",
    Site.FRACTURE: "beside the vertebra",
    Site.DISC: "disc",
    Site.CANAL: "spinal canal: dura and nerve roots",
    Site.TRACK: "back along the cannula",
}


class Ending(StrEnum):
    """How a filling ended, as a sentence."""

    NOTHING = "no cement was asked for"
    VOLUME = "the whole volume is in"
    PRESSURE = "stopped at the pressure limit"
    POSTERIOR = "stopped at the first posterior leak"
    VENOUS = "stopped at the first venous leak"
    LEAK = "stopped at the first leak"
    SET = "stopped because the cement is too stiff to flow"
    BLOCKED = "cannot be filled: the marrow has no way out"
    UNBALANCED = "not computed to the end: the flow did not converge"


FAILED = (Ending.BLOCKED, Ending.UNBALANCED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portion:
    """One portion of cement, usually a tenth of a millilitre.

    Attributes
    ----------
    injected_ml : all cement up to the end of this portion [ml].
    time_s : end of the portion, after mixing [s].
    pressure_mpa : highest pressure at a port, over the resting pressure of the marrow [MPa].
    went_ml : where this portion's volume went, by site [ml]; not the same drops, since older
        cement is pushed on by newer.
    change : largest relative change of the pressure in the last iteration of the portion [1].
    residual : of the flow's balance, relative [1].
    iterations : of viscosity and flow.
    """

    injected_ml: float
    time_s: float
    pressure_mpa: float
    went_ml: Mapping[Site, float]
    change: float
    residual: float
    iterations: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filling:
    """The cement of one body, by the model; without a cloud if it failed.

    Attributes
    ----------
    ending, detail : how it ended, and why in one line.
    edge_mm : edge of a voxel [mm].
    cement : (I, J, K) part of each voxel that is cement [1].
    in_void : (I, J, K) part of each voxel that is cement in the void [1].
    arrival_ml : (I, J, K) volume injected when the voxel was half full [ml]; NaN where never.
    portions : the ledger.
    body_ml : volume of the body that is filled [ml].
    left_ml : cement inside the bone on the patient's left [ml]; None without a mid-line.
    held_ml : of what went into veins, what still lies in their stretch within the bone [ml].
    """

    ending: Ending
    detail: str
    edge_mm: float
    cement: Array
    in_void: Array
    arrival_ml: Array
    portions: tuple[Portion, ...]
    body_ml: float
    left_ml: float | None
    held_ml: Mapping[Site, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Say that the figures must not be used."""
        return self.ending in FAILED

    @property
    def injected_ml(self) -> float:
        """All cement that went in [ml]."""
        return self.portions[-1].injected_ml if self.portions else 0.0

    def at(self, site: Site) -> float:
        """Volume at a site [ml]."""
        return float(sum(portion.went_ml.get(site, 0.0) for portion in self.portions))

    def beyond_ml(self, site: Site) -> float:
        """Volume of a leak that lies beyond the bone, as CT shows it [ml]."""
        return max(self.at(site) - self.held_ml.get(site, 0.0), 0.0)

    @property
    def inside_ml(self) -> float:
        """Cement in void and trabeculae [ml]."""
        return sum(self.at(site) for site in INSIDE)

    @property
    def leaks_ml(self) -> dict[Site, float]:
        """Leaks, largest first, without those of no volume [ml]."""
        volumes = {site: self.at(site) for site in LEAKS}
        some = {site: ml for site, ml in volumes.items() if ml > REMAINDER_ML}
        return dict(sorted(some.items(), key=lambda item: -item[1]))

    @property
    def leaked_ml(self) -> float:
        """All cement outside the bone [ml]."""
        return float(sum(self.leaks_ml.values()))

    @property
    def reaches_canal(self) -> bool:
        """Flag any cement through the posterior wall, by a gap or by the basivertebral vein."""
        return any(site in self.leaks_ml for site in POSTERIOR)

    @property
    def balance_error(self) -> float:
        """Injected less found, relative to injected [1]."""
        if not self.injected_ml:
            return 0.0
        found = float(self.cement.sum()) * self.edge_mm**3 / 1000.0 + self.leaked_ml
        return abs(self.injected_ml - found) / self.injected_ml

    @property
    def fill_fraction(self) -> float:
        """Cement inside the bone over the volume of the body [1]."""
        return self.inside_ml / self.body_ml if self.body_ml else 0.0

    @property
    def interdigitation(self) -> float:
        """Part of the cement inside that lies between trabeculae [1]."""
        return self.at(Site.TRABECULAE) / self.inside_ml if self.inside_ml else 0.0

    @property
    def left_share(self) -> float | None:
        """Part of the cement inside that lies on the patient's left [1]."""
        if self.left_ml is None or not self.inside_ml:
            return None
        return self.left_ml / self.inside_ml

    @property
    def highest_pressure_mpa(self) -> float:
        """Highest pressure at a port [MPa]."""
        return max((portion.pressure_mpa for portion in self.portions), default=0.0)

    def filled_at(self, injected_ml: float) -> NDArray[np.bool_]:
        """Voxels that were at least half full once so much was in: one frame of the cloud."""
        return np.asarray(self.arrival_ml <= injected_ml)
