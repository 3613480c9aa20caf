"""The largest balloon on each cannula's axis that touches no wall, no endplate, no balloon.

A balloon is a capsule around the cannula's axis. The cannula is drawn back behind it before
inflation, so it may lie anywhere on the axis inside the body. What is planned is what fits into
the body as it is broken now: endplates that rise under pressure make room for more.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.case import Confidence, Inflation, Measure, Part, Trajectory, Vertebra, Volume
from kyphoplan.geometry import Array, unit
from kyphoplan.planning.devices import BALLOONS, BalloonDevice, balloons_for
from kyphoplan.planning.room import true_depth

MARGIN_MM = (
    2.0  # [mm] to walls and endplates: our policy; inflation stops where a cortex is touched
)
BETWEEN_MM = 1.0  # [mm] between two balloons: our policy
SMALLEST_ML = 0.5  # [ml] one usual step of inflation; a smaller balloon makes no void
CORE_FRACTION = 0.5  # [1] straight part of a full balloon over its nominal length: assumed
STEP_MM = 0.25  # [mm] along the axis
ML_PER_MM3 = 1e-3  # [ml/mm3]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Channel:
    """The cannula's axis inside the body: places, and the room around each.

    Attributes
    ----------
    points_mm : (N, 3) places on the axis [mm, LPS], STEP_MM apart.
    room_mm : (N,) radius of the largest ball of bone around each place, less the margin [mm].
    """

    trajectory: Trajectory
    axis: Array
    points_mm: Array
    room_mm: Array


def place_balloons(
    vertebra: Vertebra,
    trajectories: tuple[Trajectory, ...],
    finest_mm: float,
    devices: tuple[BalloonDevice, ...] = BALLOONS,
) -> tuple[Inflation, ...]:
    """Choose and place one balloon for each cannula of a vertebra.

    ``finest_mm`` is the finest voxel edge of the label map [mm].

    Returns
    -------
    One `Inflation` per trajectory, in the same order; one that does not fit is not accepted and
    says why.
    """
    if vertebra.parts is None or vertebra.surface is None or vertebra.body is None:
        why = f"the body was not found: {vertebra.reason}"
        return tuple(_none(trajectory, why) for trajectory in trajectories)
    room = room_of(vertebra, finest_mm)
    channels = [_channel(room, trajectory) for trajectory in trajectories]
    return tuple(
        _place(vertebra, channel, [c for c in channels if c is not channel], devices)
        for channel in channels
    )


def capsule_ml(core_mm: float, diameter_mm: float) -> float:
    """Return the volume [ml] of a capsule: a cylinder of length ``core_mm`` with round ends [mm].

    Examples
    --------
    >>> round(capsule_ml(7.5, 14.0), 2)
    2.59
    """
    radius = diameter_mm / 2.0
    return float(np.pi * radius**2 * (core_mm + 4.0 / 3.0 * radius)) * ML_PER_MM3


def capsule_diameter_mm(core_mm: float, volume_ml: float) -> float:
    """Return the diameter [mm] at which a capsule holds a volume [ml].

    Examples
    --------
    >>> round(capsule_diameter_mm(7.5, capsule_ml(7.5, 14.0)), 6)
    14.0
    """
    roots = np.roots([np.pi / 6.0, np.pi * core_mm / 4.0, 0.0, -volume_ml / ML_PER_MM3])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-6))  # noqa: PLR2004


def room_of(vertebra: Vertebra, finest_mm: float) -> Volume:
    """Radius of the largest ball of the body around each node of the vertebra's grid [mm].

    The smaller of two depths: to the body's surface as it is interpolated between the slices, and
    to the label's surface, which lies half a voxel before the nearest centre beyond it.
    """
    assert vertebra.parts is not None
    assert vertebra.surface is not None
    grid = vertebra.parts
    inside = np.asarray(grid.voxels) == Part.BODY
    half_step = float(grid.spacing_mm.max()) / 2.0
    depth = ndimage.distance_transform_edt(inside, sampling=grid.spacing_mm) - half_step
    under = true_depth(np.asarray(vertebra.surface.voxels, float), finest_mm)
    return Volume(np.minimum(depth, under), grid.affine)


def _channel(room: Volume, trajectory: Trajectory) -> _Channel:
    """Sample the room along the axis, from the entry through the body's far wall."""
    axis = unit(trajectory.target_mm - trajectory.entry_mm)
    reach = float(np.linalg.norm(np.array(room.shape) * room.spacing_mm))
    points = trajectory.entry_mm + np.arange(0.0, reach, STEP_MM)[:, None] * axis
    around = ndimage.map_coordinates(
        room.voxels, room.to_indices(points).T, order=1, mode="constant", cval=-reach
    )
    return _Channel(trajectory=trajectory, axis=axis, points_mm=points, room_mm=around - MARGIN_MM)


def _place(
    vertebra: Vertebra,
    channel: _Channel,
    others: list[_Channel],
    devices: tuple[BalloonDevice, ...],
) -> Inflation:
    """Try every device at every place of the channel; keep the largest."""
    trajectory = channel.trajectory
    if not trajectory.accepted:
        return _none(trajectory, f"its cannula is refused: {trajectory.reason}")
    fitting = balloons_for(trajectory.outer_diameter_mm, devices)
    if not fitting:
        narrowest = min(device.smallest_cannula_mm for device in devices)
        return _none(
            trajectory,
            f"no balloon passes a cannula of {trajectory.outer_diameter_mm:.1f} mm: "
            f"plan one of at least {narrowest:.1f} mm",
        )
    room = np.minimum(channel.room_mm, _share(channel, others))
    tries = [(device, *_best(room, device)) for device in fitting]
    device, centre, volume = max(tries, key=lambda t: (round(t[2], 3), -t[0].length_mm))
    if volume < SMALLEST_ML:
        return _none(
            trajectory,
            f"no room: the largest balloon with {MARGIN_MM:.0f} mm to walls and endplates holds "
            f"{volume:.2f} ml, less than {SMALLEST_ML} ml",
        )
    return _inflation(vertebra, channel, device, centre, volume)


def _share(channel: _Channel, others: list[_Channel]) -> Array:
    """Half the way to the nearest other axis [mm], so that two balloons can never overlap.

    For the closest points of two balloons, D apart, neither radius exceeds (D - BETWEEN_MM) / 2.
    """
    share = np.full(len(channel.points_mm), np.inf)
    for other in others:
        from_start = channel.points_mm - other.points_mm[0]
        along = np.clip(from_start @ other.axis, 0.0, len(other.points_mm) * STEP_MM)
        apart = np.linalg.norm(from_start - along[:, None] * other.axis, axis=1)
        share = np.minimum(share, (apart - BETWEEN_MM) / 2.0)
    return share


def _best(room: Array, device: BalloonDevice) -> tuple[int, float]:
    """Return the middle index and the volume [ml] of the largest capsule in the channel."""
    core = CORE_FRACTION * device.length_mm
    width = 2 * round(core / STEP_MM / 2.0) + 1
    radius = ndimage.minimum_filter1d(room, width, mode="constant", cval=-np.inf)
    widest = float(radius.max())
    if widest <= 0.0:
        return 0, 0.0
    full = capsule_diameter_mm(core, device.planned_ml) / 2.0
    enough = np.flatnonzero(radius >= min(widest, full) - 1e-9)
    centre = int(enough[len(enough) // 2])
    return centre, capsule_ml(core, 2.0 * min(widest, full))


def _inflation(
    vertebra: Vertebra, channel: _Channel, device: BalloonDevice, centre: int, volume: float
) -> Inflation:
    core = CORE_FRACTION * device.length_mm
    diameter = capsule_diameter_mm(core, volume)
    half = round(core / STEP_MM / 2.0)
    held = channel.room_mm[centre - half : centre + half + 1].min() + MARGIN_MM - diameter / 2.0
    limits = (
        ""
        if device.verified
        else f"; unverified limits: no more than {device.planned_ml:.1f} ml is planned, read "
        "them on the pack"
    )
    return Inflation(
        side=channel.trajectory.side,
        device=device.name,
        centre_mm=channel.points_mm[centre],
        axis=channel.axis,
        length_mm=core + diameter,
        diameter_mm=diameter,
        volume_ml=volume,
        largest_volume_ml=device.largest_volume_ml,
        largest_pressure_bar=device.largest_pressure_bar,
        verified=device.verified,
        margin_mm=margin_of(vertebra, float(held)),
        accepted=True,
        reason=f"the largest that keeps {MARGIN_MM:.0f} mm to walls and endplates of the body "
        f"as it is now{limits}",
    )


def margin_of(vertebra: Vertebra, held_mm: float) -> Measure:
    """Return a balloon's margin [mm] as a figure with its interval."""
    assert vertebra.body is not None
    assert vertebra.parts is not None
    plates = vertebra.body.superior, vertebra.body.inferior
    surface = max(float(plate.sd_mm.max()) for plate in plates)
    sd = float(np.hypot(surface, vertebra.parts.spacing_mm.max() / np.sqrt(12.0)))
    how = "endplate placement and grid"
    return Measure.of(held_mm, sd, "mm", how, confidence=Confidence.MEDIUM)


def _none(trajectory: Trajectory, why: str) -> Inflation:
    return Inflation(
        side=trajectory.side,
        device="none",
        centre_mm=trajectory.target_mm,
        axis=unit(trajectory.target_mm - trajectory.entry_mm),
        length_mm=0.0,
        diameter_mm=0.0,
        volume_ml=0.0,
        largest_volume_ml=0.0,
        largest_pressure_bar=0.0,
        verified=False,
        margin_mm=Measure.unknown("mm", why),
        accepted=False,
        reason=why,
    )
