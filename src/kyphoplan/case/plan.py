"""What is intended at each level: cannulas, balloons, cement; edited with `replace`."""

from dataclasses import dataclass
from enum import StrEnum

from kyphoplan.case.findings import Notice
from kyphoplan.case.level import Level
from kyphoplan.case.measure import Measure
from kyphoplan.case.spine import Side
from kyphoplan.geometry import Array


class Approach(StrEnum):
    """How a body is reached."""

    BIPEDICULAR = "bipedicular"
    UNIPEDICULAR = "unipedicular"
    EXTRAPEDICULAR = "extrapedicular"
    NONE = "none"


class GertzbeinRobbins(StrEnum):
    """Grade of a pedicle's breach: A inside, B < 2 mm, C < 4 mm, D < 6 mm, E beyond."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Signed distance from a cannula's surface to each wall [mm]; negative is outside the bone.

    Attributes
    ----------
    medial, lateral, superior, inferior : to the walls of the pedicle.
    anterior : from the tip to the anterior wall of the body.
    """

    medial: Measure
    lateral: Measure
    superior: Measure
    inferior: Measure
    anterior: Measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """One straight cannula, judged.

    Attributes
    ----------
    entry_mm, target_mm : (3,) where it enters the bone and where its tip rests [mm, LPS].
    outer_diameter_mm : of the cannula [mm].
    axial_angle_deg : convergence towards the mid-line in the vertebra's axial plane [deg].
    sagittal_angle_deg : in its sagittal plane, positive when the tip points cranially [deg].
    depth_mm : length inside the bone, entry to target [mm].
    grade, possible : by the smallest clearance, and all that its interval reaches.
    breach_probability : chance of leaving the bone medially, laterally, cranially or caudally
        under the aiming error [1].
    accepted, reason : whether the hard limits hold, and if not which one is broken.
    """

    side: Side
    approach: Approach
    entry_mm: Array
    target_mm: Array
    outer_diameter_mm: float
    clearance: Clearance
    axial_angle_deg: float
    sagittal_angle_deg: float
    depth_mm: float
    grade: GertzbeinRobbins
    possible: tuple[GertzbeinRobbins, ...]
    breach_probability: Measure
    accepted: bool
    reason: str

    @property
    def grades(self) -> str:
        """All grades that are possible, in words."""
        all_of_them = len(self.possible) == len(GertzbeinRobbins)
        return "not known" if all_of_them else " or ".join(self.possible)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inflation:
    """One balloon in the body, at its largest planned size.

    Attributes
    ----------
    device : name in the device table.
    centre_mm, axis : (3,) place [mm, LPS] and unit direction (the cannula's).
    length_mm, diameter_mm, volume_ml : planned size.
    largest_volume_ml, largest_pressure_bar : limits of the device [ml], [bar].
    verified : whether those limits have been seen in print.
    margin_mm : smallest distance to walls and endplates [mm].
    accepted, reason : whether it fits with its margins, and if not why.
    """

    side: Side
    device: str
    centre_mm: Array
    axis: Array
    length_mm: float
    diameter_mm: float
    volume_ml: float
    largest_volume_ml: float
    largest_pressure_bar: float
    verified: bool
    margin_mm: Measure
    accepted: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """The cement of one body.

    Attributes
    ----------
    left, right, total : volumes [ml]; a side without cannula has no value.
    fraction : total over the body's volume [%].
    basis : how the volume was chosen, with its source.
    accepted, reason : whether it lies within the evidence and behind accepted cannulas, and if not
        why; without a proposal it is not accepted.
    """

    left: Measure
    right: Measure
    total: Measure
    fraction: Measure
    basis: str
    accepted: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelPlan:
    """The plan of one level; without trajectories it says why.

    Attributes
    ----------
    approach : how it is to be reached; ``none`` with ``reason`` if not safely reachable.
    refused : the best that was found on each side that was refused, with its reason (to show, not
        to use).
    """

    level: Level
    approach: Approach
    reason: str
    trajectories: tuple[Trajectory, ...]
    refused: tuple[str, ...]
    inflations: tuple[Inflation, ...]
    fill: Fill | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The intended treatment of a spine, level by level."""

    levels: tuple[LevelPlan, ...]
    notices: tuple[Notice, ...]
