"""The filling of one planned body, set up from what is known of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import LevelPlan, Side, Vertebra, VertebraMeasures
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.materials import (
    BONE_MINERAL,
    CEMENTS,
    FIRST_DROP_S,
    INJECTION_ML_PER_S,
    MARROW_VISCOSITY,
    FlowingCement,
)
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.cement.openings import openings
from kyphoplan.simulation.cement.permeability import USUAL, Permeability, bone_fraction
from kyphoplan.simulation.cement.rheology import Curing
from kyphoplan.simulation.cement.surface import ball, body_of
from kyphoplan.simulation.cement.ways import USUAL_WAYS, Ways
from kyphoplan.simulation.filling import USUAL_CONTROL, Control, FillingProblem, Port
from kyphoplan.simulation.specimen import Specimen, Tissue

ROOT_MM = 10.0  # [mm] of the pedicles behind the body that cement may enter; the rest of the arch
# is left out, it would only cost time
PORT_MM = 1.5  # [mm] radius of the mouth of a filler; assumed
DEFAULT_CEMENT = CEMENTS["high viscosity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """All that a CT does not show, chosen once: by value, or drawn for a Monte-Carlo.

    Attributes
    ----------
    cement, permeability, ways : see there.
    marrow_mpa_s : viscosity of marrow [MPa s].
    mineral_mg_per_cm3 : of solid bone [mg/cm3].
    start_s, control : when and how fast.
    """

    cement: Curing
    permeability: Permeability = USUAL
    ways: Ways = USUAL_WAYS
    marrow_mpa_s: float = MARROW_VISCOSITY.value
    mineral_mg_per_cm3: float = BONE_MINERAL.value
    start_s: float = FIRST_DROP_S.value
    control: Control = USUAL_CONTROL

    @classmethod
    def of(
        cls, cement: FlowingCement = DEFAULT_CEMENT, rng: np.random.Generator | None = None
    ) -> "Mixture":
        """Take every value as it stands, or draw all of them."""
        if rng is None:
            return cls(cement=Curing.of(cement))
        return cls(
            cement=Curing.of(cement, rng),
            permeability=Permeability.drawn(rng),
            ways=Ways.drawn(rng),
            marrow_mpa_s=MARROW_VISCOSITY.drawn(rng),
            mineral_mg_per_cm3=BONE_MINERAL.drawn(rng),
            start_s=FIRST_DROP_S.drawn(rng),
            control=Control(rate_ml_per_s=INJECTION_ML_PER_S.drawn(rng)),
        )


def cementing(
    specimen: Specimen,
    vertebra: Vertebra,
    measures: VertebraMeasures | None,
    plan: LevelPlan,
    solid: Array,
    void: Array,
    *,
    mixture: Mixture,
) -> FillingProblem:
    """Set up the filling of a planned level.

    What else is known, such as stops, comes in by `dataclasses.replace`.

    Parameters
    ----------
    specimen : the vertebra, on whose grid all is computed.
    measures : for the gaps in the shell and the break; None if they are not known.
    solid : (I, J, K) share of bone in what is not void [1], as `solid_share` has it.
    void : (I, J, K) share of void: balloons, cleft [1].

    Raises
    ------
    CaseError
        If no cement is planned, or a planned balloon does not lie in the bone.
    """
    if plan.fill is None or plan.fill.total.value is None:
        raise CaseError(f"{plan.level}: no cement is planned: {plan.reason or 'no fill'}")
    inside = fillable(specimen, vertebra)
    found = openings(
        vertebra,
        measures,
        inside,
        specimen.affine,
        trajectories=[t for t in plan.trajectories if t.accepted],
        ways=mixture.ways,
    )
    return FillingProblem(
        inside=inside,
        bone_fraction=solid,
        void_fraction=np.where(inside, void, 0.0),
        edge_mm=specimen.edge_mm,
        ports=_ports(plan, inside, specimen.affine),
        outlets=found,
        cement=mixture.cement,
        volume_ml=plan.fill.total.value,
        control=mixture.control,
        marrow_mpa_s=mixture.marrow_mpa_s,
        permeability=mixture.permeability,
        start_s=mixture.start_s,
        body=body_of(vertebra, specimen.affine, inside),
        middle_i=_middle(vertebra, specimen),
    )


def solid_share(
    specimen: Specimen,
    calibration: Calibration,
    mineral_mg_per_cm3: float = BONE_MINERAL.value,
) -> Array:
    """Return the share of each voxel that fluid cannot enter [1]: bone, and what is outside."""
    bone = bone_fraction(calibration(specimen.hu), mineral_mg_per_cm3)
    return np.asarray(1.0 - specimen.share * (1.0 - bone))


def fillable(specimen: Specimen, vertebra: Vertebra) -> NDArray[np.bool_]:
    """Mark the voxels that cement may enter: the body and the roots of its pedicles."""
    bone = specimen.tissue == Tissue.BONE
    body = body_of(vertebra, specimen.affine, bone)
    near = ndimage.distance_transform_edt(~body, sampling=specimen.edge_mm) <= ROOT_MM
    return np.asarray(bone & near)


def _ports(plan: LevelPlan, inside: NDArray[np.bool_], affine: Array) -> tuple[Port, ...]:
    """Let each side's cement in at its balloon's centre, or at its cannula's tip."""
    assert plan.fill is not None
    ports = []
    for side, planned in ((Side.LEFT, plan.fill.left), (Side.RIGHT, plan.fill.right)):
        if not planned.value:
            continue
        point = _mouth(plan, side)
        voxels = None if point is None else ball(inside, affine, point, PORT_MM)
        if voxels is None:
            raise CaseError(f"{plan.level} {side}: cement is planned, but no way into the bone")
        ports.append(Port(voxels=voxels, share=planned.value))
    if not ports:
        raise CaseError(f"{plan.level}: no cement is planned on either side")
    return tuple(ports)


def _mouth(plan: LevelPlan, side: Side) -> Array | None:
    for balloon in plan.inflations:
        if balloon.side is side and balloon.accepted and balloon.volume_ml > 0.0:
            return balloon.centre_mm
    for trajectory in plan.trajectories:
        if trajectory.side is side and trajectory.accepted:
            return trajectory.target_mm
    return None


def _middle(vertebra: Vertebra, specimen: Specimen) -> float:
    """Index i of the mid-line: the grid's i runs along the frame's left."""
    assert vertebra.frame is not None  # located
    origin = np.append(vertebra.frame.origin_mm, 1.0)
    return float((np.linalg.inv(specimen.affine) @ origin)[0])
