"""The known figures of a phantom; their definitions are in `docs/reference/phantom.md`."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kyphoplan.case import Level
from kyphoplan.geometry import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelTruth:
    """The figures of one vertebra; places and directions in patient LPS.

    Attributes
    ----------
    centre_mm, left, posterior, superior : the body's own frame.
    superior_points_mm, inferior_points_mm : (3, 3) height points, rows from front to back.
    anterior_wall_mm, posterior_wall_mm : mid-sagittal walls at mid-height.
    """

    level: Level
    centre_mm: Array
    left: Array
    posterior: Array
    superior: Array
    superior_points_mm: Array
    inferior_points_mm: Array
    anterior_wall_mm: Array
    posterior_wall_mm: Array
    anterior_height_mm: float
    middle_height_mm: float
    posterior_height_mm: float
    unbroken_anterior_height_mm: float
    unbroken_middle_height_mm: float
    unbroken_posterior_height_mm: float
    height_loss_pct: float
    genant_grade: int
    wedge_angle_deg: float
    superior_depression_mm: float
    inferior_depression_mm: float
    depth_mm: float
    body_volume_ml: float
    left_pedicle_width_mm: float
    right_pedicle_width_mm: float
    left_pedicle_height_mm: float
    right_pedicle_height_mm: float
    left_isthmus_mm: Array
    right_isthmus_mm: Array
    left_pedicle_axis: Array
    right_pedicle_axis: Array
    canal_area_mm2: float
    canal_compromise_pct: float
    canal_centre_mm: Array
    canal_axis: Array
    retropulsion_mm: float
    gap_mm: float
    cleft_ml: float
    trabecular_hu: float
    endplate_cortex_mm: float
    wall_cortex_mm: float
    arch_cortex_mm: float
    osteophyte_mm: float
    fractured_endplate: str

    @property
    def heights_mm(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height [mm]."""
        return self.anterior_height_mm, self.middle_height_mm, self.posterior_height_mm

    @property
    def unbroken_heights_mm(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height before the fracture [mm]."""
        return (
            self.unbroken_anterior_height_mm,
            self.unbroken_middle_height_mm,
            self.unbroken_posterior_height_mm,
        )

    @property
    def osteophytes(self) -> bool:
        """Say whether the body has anterior lips."""
        return self.osteophyte_mm > 0

    def turned(self, turn: Array) -> "LevelTruth":
        """Return the same figures after a rotation about the origin."""
        moved: dict[str, Any] = {
            name: value @ turn.T
            for name in self.__slots__
            if isinstance(value := getattr(self, name), np.ndarray)
        }
        return replace(self, **moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class CobbTruth:
    """Angle between the superior endplate line of one level and the inferior one of another."""

    upper: Level
    lower: Level
    cobb_deg: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """All that is known of a phantom in one pose."""

    levels: tuple[LevelTruth, ...]
    kyphosis: tuple[CobbTruth, ...]

    def __getitem__(self, level: Level | str) -> LevelTruth:
        """Return the figures of a level, by `Level` or name; KeyError if absent."""
        wanted = Level.parse(level) if isinstance(level, str) else level
        for row in self.levels:
            if row.level is wanted:
                return row
        raise KeyError(str(wanted))

    def cobb_deg(self, upper: Level, lower: Level) -> float:
        """Return the angle between two levels [deg]; KeyError if it is not among the figures."""
        for row in self.kyphosis:
            if row.upper is upper and row.lower is lower:
                return row.cobb_deg
        raise KeyError(f"{upper}-{lower}")

    def turned(self, turn: Array) -> "Truth":
        """Return the truth after a rotation of the patient about the origin."""
        return replace(self, levels=tuple(row.turned(turn) for row in self.levels))
