"""What is written down after each increment: its figures, and slices through the block."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Side
from kyphoplan.case.rehearsal import Moment, Slices
from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.tamps import Increment
from kyphoplan.simulation.inflation import Operation
from kyphoplan.simulation.landmarks import Landmarks
from kyphoplan.simulation.operative_field import Field

BAR_PER_MPA = 10.0
WALL_BEARS = 0.02  # [1] crushing beyond which the wall counts as broken; assumed: cortex fails at
# strains of 1 to 3 %; the flag is drawn with a range
WALL_PERCENTILE = 95.0  # [%]
STRAIN_DIGITS = 6  # [1] a microstrain; what is less is rounding
WALL_NEAR_MM = 0.5  # [mm] a balloon this near to the wall has reached it


class Log:
    """Writes down each increment.

    Attributes
    ----------
    moments, slices : one per increment, one slice more for before.
    balanced : whether every increment is.
    middle : voxel through which the slices go.
    """

    def __init__(
        self,
        bone: Field,
        watch: Landmarks,
        operation: Operation,
        sides: tuple[Side, ...],
        wall: NDArray[np.bool_],
        told: Callable[[Moment, float], None],
        pictures: bool,
    ) -> None:
        self.pictures = pictures
        self.bone, self.watch, self.operation, self.sides = bone, watch, operation, sides
        self.wall, self.told = wall, told
        self.moments: list[Moment] = []
        self.balanced = True
        self.middle = np.round(
            np.mean([0.5 * (s.start_mm + s.end_mm) for s in operation.skins], axis=0)
            / bone.edge_mm
            if sides
            else np.array(bone.tissue.shape) / 2
        ).astype(int)
        if sides:  # the sagittal slice goes through the first balloon, not between both
            first = operation.skins[0]
            centre = 0.5 * (first.start_mm[0] + first.end_mm[0])
            self.middle[0] = round(float(centre) / bone.edge_mm)
        self.slices: list[Slices] = []
        self._picture("before the balloons")

    def __call__(self, increment: Increment) -> None:
        """Write an increment down, and tell it."""
        operation = self.operation
        crushing = np.percentile(operation.points.plastic[self.wall], WALL_PERCENTILE)
        strain = round(float(crushing), STRAIN_DIGITS)
        near = operation.points.place[self.wall] * self.bone.edge_mm
        reached = any((skin.above(near) < WALL_NEAR_MM).any() for skin in operation.skins)
        moment = Moment(
            volume_ml={
                s: v / 1000.0 for s, v in zip(self.sides, increment.volume_mm3, strict=True)
            },
            pressure_bar={
                s: p * BAR_PER_MPA for s, p in zip(self.sides, increment.pressure_mpa, strict=True)
            },
            figures=self.watch.figures(operation.markers),
            posterior_strain=strain,
            breach=bool(strain > WALL_BEARS or reached),
            unbalanced=increment.unbalanced,
            work_mj=increment.work_mj,
            stored_mj=increment.stored_mj,
            dissipated_mj=increment.dissipated_mj,
            grid_mj=increment.grid_mj,
        )
        self.moments.append(moment)
        self.balanced &= increment.balanced
        whole = sum(tamp.volume_mm3 for tamp in operation.tamps)
        title = " and ".join(f"{side} {v:.1f} ml" for side, v in moment.volume_ml.items())
        self._picture(f"balloons: {title}")
        self.told(moment, sum(increment.volume_mm3) / whole)

    def _picture(self, title: str) -> None:
        if self.pictures:
            self.slices.append(slices(self.operation, self.middle, title))


def slices(
    operation: Operation, middle: NDArray[np.int64], title: str, cement: Array | None = None
) -> Slices:
    """Cut three slices through the block."""
    density = operation.density
    balloon = (
        np.minimum(operation.shares.sum(axis=0), 1.0) if len(operation.skins) else 0 * density
    )
    blocks = (density, balloon, np.zeros_like(density) if cement is None else cement)
    cuts = [
        tuple(block.take(middle[axis], axis=axis).astype(np.float32) for axis in range(3))
        for block in blocks
    ]
    return Slices(title=title, density=cuts[0], balloon=cuts[1], cement=cuts[2])
