"""Balloons that somebody drew, judged by the limits within which our own are placed."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from kyphoplan.case import Inflation, Measure, Trajectory, Vertebra, Volume
from kyphoplan.geometry import Array, unit
from kyphoplan.planning.balloon import (
    BETWEEN_MM,
    MARGIN_MM,
    SMALLEST_ML,
    capsule_ml,
    margin_of,
    room_of,
)
from kyphoplan.planning.devices import BALLOONS, BalloonDevice, balloon_named

STEP_MM = 0.25  # [mm] along a balloon's core
OFF_AXIS_MM = 1.0  # [mm] of a balloon's core from its cannula's axis: a cannula's bore, chosen
VOLUME_SHARE = 0.05  # [1] by which a volume may differ from that of the length and diameter
LONGER_MM = 0.5  # [mm] by which a core may be longer than its device
NEARLY, ROUNDING_ML = 1e-3, 0.005  # [mm], [ml] of rounding in a file


def judge_inflations(
    vertebra: Vertebra,
    inflations: tuple[Inflation, ...],
    trajectories: tuple[Trajectory, ...],
    finest_mm: float,
    devices: tuple[BalloonDevice, ...] = BALLOONS,
) -> tuple[Inflation, ...]:
    """Judge the balloons of a vertebra from their device, place and size alone.

    ``trajectories`` are the judged cannulas, ``finest_mm`` is the finest voxel edge of the label
    map [mm]. A side without a balloon (volume 0) stays as it is.
    """
    if not any(exists(balloon) for balloon in inflations):
        return inflations
    if vertebra.parts is None or vertebra.surface is None or vertebra.body is None:
        why = f"the body was not found: {vertebra.reason}"
        return tuple(_refused(balloon, why) for balloon in inflations)
    room = room_of(vertebra, finest_mm)
    return tuple(
        _judged(
            vertebra,
            room,
            balloon,
            trajectories,
            [other for other in inflations if other is not balloon and exists(other)],
            devices,
        )
        if exists(balloon)
        else balloon
        for balloon in inflations
    )


def exists(balloon: Inflation) -> bool:
    """Say whether a side has a balloon at all."""
    return balloon.volume_ml > 0.0 or balloon.diameter_mm > 0.0


def _refused(balloon: Inflation, why: str) -> Inflation:
    return replace(balloon, accepted=False, reason=why, margin_mm=Measure.unknown("mm", why))


def _judged(
    vertebra: Vertebra,
    room: Volume,
    balloon: Inflation,
    trajectories: tuple[Trajectory, ...],
    others: list[Inflation],
    devices: tuple[BalloonDevice, ...],
) -> Inflation:
    device = balloon_named(balloon.device, devices)
    if device is None:
        return _refused(balloon, f"{balloon.device!r} is not in the table of balloons")
    margin = _margin(room, balloon)
    reason = (
        _broken_by_device(balloon, device)
        or _broken_by_cannula(balloon, device, trajectories)
        or _broken_by_room(balloon, margin, others)
    )
    return replace(
        balloon,
        largest_volume_ml=device.largest_volume_ml,
        largest_pressure_bar=device.largest_pressure_bar,
        verified=device.verified,
        margin_mm=margin_of(vertebra, margin),
        accepted=not reason,
        reason=reason or f"keeps {MARGIN_MM:.0f} mm to walls and endplates of the body",
    )


def core(balloon: Inflation) -> Array:
    """Return points (N, 3) along the straight part of a balloon [mm, LPS]."""
    half = max(balloon.length_mm - balloon.diameter_mm, 0.0) / 2.0
    along = np.linspace(-half, half, max(round(2.0 * half / STEP_MM), 1) + 1)
    return np.asarray(balloon.centre_mm + along[:, None] * unit(balloon.axis))


def _margin(room: Volume, balloon: Inflation) -> float:
    """Return the smallest distance of a balloon's skin to the body's surface [mm]."""
    around = ndimage.map_coordinates(
        room.voxels, room.to_indices(core(balloon)).T, order=1, mode="constant", cval=-MARGIN_MM
    )
    return float(around.min()) - balloon.diameter_mm / 2.0


def _broken_by_device(balloon: Inflation, device: BalloonDevice) -> str:
    straight = balloon.length_mm - balloon.diameter_mm
    if straight < -NEARLY:
        return f"it is {balloon.length_mm:.1f} mm long, less than its diameter"
    if straight > device.length_mm + LONGER_MM:
        return f"its straight part of {straight:.1f} mm is longer than a {device.name}"
    shape = capsule_ml(max(straight, 0.0), balloon.diameter_mm)
    if abs(shape - balloon.volume_ml) > VOLUME_SHARE * max(shape, balloon.volume_ml):
        return (
            f"volume {balloon.volume_ml:.1f} ml does not belong to its length and diameter, "
            f"which hold {shape:.1f} ml"
        )
    volume = max(shape, balloon.volume_ml)
    if volume > device.planned_ml + ROUNDING_ML:
        known = "its limit" if device.verified else "the most while its limits are unverified"
        return f"volume {volume:.1f} ml: more than {device.planned_ml:.1f} ml, {known}"
    if volume < SMALLEST_ML - ROUNDING_ML:
        return f"volume {volume:.2f} ml: less than {SMALLEST_ML} ml makes no void"
    return ""


def _broken_by_cannula(
    balloon: Inflation, device: BalloonDevice, trajectories: tuple[Trajectory, ...]
) -> str:
    own = [t for t in trajectories if t.side is balloon.side]
    if not own:
        return "no cannula on this side"
    off = [_off_axis(balloon, t) for t in own]
    way = own[int(np.argmin(off))]
    if not way.accepted:
        return f"its cannula is refused: {way.reason}"
    if min(off) > OFF_AXIS_MM:
        return f"{min(off):.1f} mm beside the axis of its cannula"
    if way.outer_diameter_mm < device.smallest_cannula_mm:
        return (
            f"a {device.name} does not pass a cannula of {way.outer_diameter_mm:.1f} mm: "
            f"it needs {device.smallest_cannula_mm:.1f} mm"
        )
    return ""


def _off_axis(balloon: Inflation, way: Trajectory) -> float:
    """Return how far a balloon's core leaves a cannula's axis [mm]."""
    axis = unit(way.target_mm - way.entry_mm)
    return float(np.linalg.norm(np.cross(core(balloon) - way.entry_mm, axis), axis=1).max())


def _broken_by_room(balloon: Inflation, margin: float, others: list[Inflation]) -> str:
    if margin < MARGIN_MM - NEARLY:
        return f"margin {margin:.1f} mm to a wall or endplate: less than {MARGIN_MM:.0f} mm"
    for other in others:
        apart = np.linalg.norm(core(balloon)[:, None] - core(other), axis=-1).min()
        between = float(apart) - (balloon.diameter_mm + other.diameter_mm) / 2.0
        if between < 0.0:
            return f"overlaps the {other.side} balloon by {-between:.1f} mm"
        if between < BETWEEN_MM - NEARLY:
            return f"{between:.1f} mm from the {other.side} balloon: less than {BETWEEN_MM:.0f} mm"
    return ""
