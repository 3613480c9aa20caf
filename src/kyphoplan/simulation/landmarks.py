"""The body's shape while it is operated: its endplates are carried along with the bone."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.case import Vertebra
from kyphoplan.case.rehearsal import Figures
from kyphoplan.geometry import Array
from kyphoplan.simulation.operative_field import PLATE, Field

STATIONS = ("anterior", "middle", "posterior")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landmarks:
    """Places to be carried along [voxels from the corner], in one array.

    Attributes
    ----------
    places : (M, 3) six height points (superior then inferior, each from front to back), then the
        neighbours' plates above and below, then samples of the endplates.
    plates : numbers of points on the plates above and below.
    samples : numbers of samples of the superior and inferior endplate.
    edge_mm : edge of a voxel [mm].
    """

    places: Array
    plates: tuple[int, int]
    samples: tuple[int, int]
    edge_mm: float

    def figures(self, now: Array) -> Figures:
        """Compare places as they are now (M, 3) with those before."""
        before, after = self.places * self.edge_mm, now * self.edge_mm
        gain = (after - before)[:6, 2]
        heights = gain[:3] - gain[3:]
        rise = self._rises(before, after)
        return Figures(
            anterior_mm=float(heights[0]),
            middle_mm=float(heights[1]),
            posterior_mm=float(heights[2]),
            wedge_deg=_wedge(after) - _wedge(before),
            segment_deg=self._segment(after) - self._segment(before),
            lift_mm=float(rise.mean()),
            largest_lift_mm=float(rise.max(initial=0.0)),
        )

    def _rises(self, before: Array, after: Array) -> Array:
        """Rise of each sample of the upper endplate over the lower one's mean [mm]."""
        start = 6 + sum(self.plates)
        rise = (after - before)[start:, 2]
        return np.asarray(rise[: self.samples[0]] - rise[self.samples[0] :].mean())

    def _segment(self, places: Array) -> float:
        """Angle of the plate above against that below, positive if they converge in front."""
        first = places[6 : 6 + self.plates[0]]
        second = places[6 + self.plates[0] : 6 + sum(self.plates)]
        return _slope_deg(first) - _slope_deg(second)


def landmarks(field: Field, vertebra: Vertebra) -> Landmarks:
    """Collect the places of a vertebra to be watched."""
    body = vertebra.body
    assert body is not None  # the field was cut around it
    points = [
        getattr(plate, f"{station}_mm")
        for plate in (body.superior, body.inferior)
        for station in STATIONS
    ]
    layers = np.flatnonzero((field.tissue == PLATE).any(axis=(0, 1)))
    ends = [
        np.argwhere((field.tissue == PLATE) & (np.arange(field.tissue.shape[2]) == k)) + 0.5
        for k in (layers[-1], layers[0])
    ]
    samples = [field.to_block(plate.points_mm) for plate in (body.superior, body.inferior)]
    return Landmarks(
        places=np.concatenate([field.to_block(np.array(points)), *ends, *samples]),
        plates=(len(ends[0]), len(ends[1])),
        samples=(len(samples[0]), len(samples[1])),
        edge_mm=field.edge_mm,
    )


def _wedge(places: Array) -> float:
    """Angle between the lines of both endplates' height points [deg], positive if front lower."""
    return _slope_deg(places[[0, 2]]) - _slope_deg(places[[3, 5]])


def _slope_deg(places: Array) -> float:
    """Rise from front to back of a line or plane through places (N, 3) [deg]."""
    slope = np.polyfit(places[:, 1], places[:, 2], 1)[0]
    return float(np.rad2deg(np.arctan(slope)))
