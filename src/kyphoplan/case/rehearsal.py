"""What a plan came to when it was rehearsed on the patient's own bone: likely, never certain."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case.filling import Portion
from kyphoplan.case.findings import Notice
from kyphoplan.case.level import Level
from kyphoplan.case.measure import Measure
from kyphoplan.case.mesh import Mesh
from kyphoplan.case.spine import Side


class Rehearsed(StrEnum):
    """How the rehearsal of a level ended, as a sentence."""

    DONE = "rehearsed: every increment is in balance"
    DOUBTFUL = "rehearsed, but not every increment is in balance: a rough figure"
    PREVIEW = "preview: closed form and one linear solve"
    ABSTAINED = "not rehearsed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """The shape of a body at one time, relative to before.

    Attributes
    ----------
    anterior_mm, middle_mm, posterior_mm : gain of height [mm].
    wedge_deg : gain of the wedge angle; negative is less wedge [deg].
    segment_deg : gain of the angle between the neighbours; negative is less kyphosis [deg].
    lift_mm, largest_lift_mm : mean and largest rise of the upper endplate over the lower [mm].
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    wedge_deg: float
    segment_deg: float
    lift_mm: float
    largest_lift_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """One increment of the balloons.

    Attributes
    ----------
    volume_ml, pressure_bar : by side [ml], [bar].
    figures : of the body.
    posterior_strain : crushing of the posterior wall, 95th percentile [1].
    breach : whether that is more than the wall bears, or a balloon has reached it.
    unbalanced : force out of balance over that of the balloons [1].
    work_mj, stored_mj, dissipated_mj, grid_mj : work of the balloons so far, elastic energy,
        crushing, and what the grid itself has taken [mJ].
    """

    volume_ml: Mapping[Side, float]
    pressure_bar: Mapping[Side, float]
    figures: Figures
    posterior_strain: float
    breach: bool
    unbalanced: float
    work_mj: float
    stored_mj: float
    dissipated_mj: float
    grid_mj: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slices:
    """Three slices through the body at one time: what the stepper shows.

    Attributes
    ----------
    title : what happened until then.
    density : sagittal (posterior, superior), coronal (left, superior), axial (left, posterior);
        bone mineral [mg/cm3].
    balloon, cement : the same slices, share of each voxel [1].
    """

    title: str
    density: tuple[NDArray[np.float32], ...]
    balloon: tuple[NDArray[np.float32], ...]
    cement: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelRehearsal:
    """The rehearsal of one level; without moments it says why.

    Attributes
    ----------
    outcome, reason : how it ended, and what to know of it.
    moments : one per increment of the balloons, then those of letting them down.
    figures : by name, each with its interval, such as ``anterior_height_gain``; without draws
        there is no interval and so no figure, only its reason.
    as_planned : what the one run with every usual value came to, by the same names and in the
        same units: an example, not an estimate.
    leaks : probability of cement at each place where it does not belong [1].
    cement : volume [ml] by place.
    portions : the ledger of the run as planned: where each tenth of a millilitre went.
    slices : pictures over time.
    void, cloud : surfaces of the voids, and of the cement [mm, LPS].
    draws : how many draws the intervals rest on; 0 is one run.
    assumptions : what was assumed, each with its source.
    """

    level: Level
    outcome: Rehearsed
    reason: str
    moments: tuple[Moment, ...]
    figures: Mapping[str, Measure]
    as_planned: Mapping[str, float]
    leaks: Mapping[str, Measure]
    cement: Mapping[str, Measure]
    portions: tuple[Portion, ...]
    slices: tuple[Slices, ...]
    void: tuple[Mesh, ...]
    cloud: tuple[Mesh, ...]
    draws: int
    assumptions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """The rehearsal of a plan, level by level.

    Attributes
    ----------
    edge_mm : edge of the voxels [mm].
    seed : of the draws.
    """

    levels: tuple[LevelRehearsal, ...]
    notices: tuple[Notice, ...]
    edge_mm: float
    seed: int

    def __getitem__(self, level: Level | str) -> LevelRehearsal:
        """Return the rehearsal of a level, by `Level` or name; KeyError if absent."""
        wanted = Level.parse(level) if isinstance(level, str) else level
        for row in self.levels:
            if row.level is wanted:
                return row
        raise KeyError(str(wanted))
