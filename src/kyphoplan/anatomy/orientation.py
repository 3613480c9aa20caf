"""Rough directions of one vertebra from its own shape: the canal is the hole one can see through.

Seen along the canal, a vertebra's shadow has a hole (the vertebral foramen) with the bulk of the
bone, the body, in front of it. That gives superior-inferior and antero-posterior without knowing
how the patient lay in the scanner. The bulk is where bone is thick: a long spinous process behind
a crushed body may hold as much bone as it does, but it is thin.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.geometry import Array, unit

PIXEL_MM = 2.0317  # [mm] of the shadow picture: off the lattices of usual voxels
SMALLEST_HOLE_MM2 = 30.0  # [mm2] a fifth of the smallest normal canal (ours, for detection only)
BULK_POWER = 2  # [1] of a point's depth in the bone: how much it counts for the bulk
DECIMALS = 6  # [1] kept of the rough offset: the same from left, from right, in any place
CONE_DEG = 35.0  # [deg] how far the canal may lean from the line of the neighbours
SYMMETRY_DEG = 12.0  # [deg] how far the mid-plane may turn from body centre - canal centre


@dataclass(frozen=True, slots=True, kw_only=True)
class Rough:
    """Where a vertebra's canal and body lie, before any surface is fitted.

    Attributes
    ----------
    canal_mm : (3,) a point on the canal's axis beside the vertebra's centre.
    along : (3,) unit vector along the canal; its sign is open unless a prior gave it.
    posterior : (3,) unit vector from the bulk of the bone to the canal.
    hole_mm2 : area of the hole in the shadow.
    """

    canal_mm: Array
    along: Array
    posterior: Array
    hole_mm2: float


def hemisphere(count: int) -> Array:
    """Return nearly even unit directions (2 count, 3): half the half sphere, and its mirror image.

    References
    ----------
    Fibonacci lattice: Gonzalez 2010, doi:10.1007/s11004-009-9257-x.
    """
    x = (np.arange(count) + 0.5) / count
    angle = np.pi * (1.0 + 5.0**0.5) * np.arange(count)
    r = np.sqrt(1.0 - x * x)
    one_side = np.stack([x, r * np.cos(angle), r * np.sin(angle)], axis=1)
    return np.vstack([one_side, one_side * [-1.0, 1.0, 1.0]])


def across(direction: Array) -> Array:
    """Return two unit vectors (2, 3) that complete a direction to a right-handed triad.

    They start from the axis of the coordinates that lies most across the direction.
    """
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    first = unit(np.cross(direction, helper))
    return np.stack([first, np.cross(direction, first)])


def shadow_hole(points_mm: Array, direction: Array) -> tuple[float, Array]:
    """Return area [mm2] and centre (3,) [mm] of the largest hole seen along a direction.

    The centre lies at the mean depth of the points. Area 0 means: no hole.
    """
    plane = across(direction)
    flat = np.stack([points_mm @ axis for axis in plane])  # rows: long reductions are fast
    low, high = flat.min(axis=1), flat.max(axis=1)
    margin = np.ceil((high - low) / (2.0 * PIXEL_MM)) + 2.0
    corner = 0.5 * (low + high) - (margin + 0.5) * PIXEL_MM  # the picture's centre is a pixel's
    pixels = np.floor((flat - corner[:, None]) / PIXEL_MM).astype(int)
    picture = np.zeros((2 * margin + 1).astype(int), bool)
    picture[pixels[0], pixels[1]] = True
    light, count = ndimage.label(~ndimage.binary_closing(picture))
    if count == 1:  # the light around the shadow, which holds the picture's first pixel
        return 0.0, points_mm.mean(axis=0)
    sizes = np.bincount(light.ravel())[2:]
    centre = np.argwhere(light == 2 + int(np.argmax(sizes))).mean(axis=0) + 0.5
    depth = float((points_mm @ direction).mean())
    place = (centre * PIXEL_MM + corner) @ plane + depth * direction
    return float(sizes.max()) * PIXEL_MM**2, place


def see_through(points_mm: Array, depth_mm: Array, candidates: Array) -> Rough | None:
    """Find the direction along which the canal is seen best, among candidates (N, 3).

    ``depth_mm`` tells how deep in the bone the points lie. Returns None if no candidate shows a
    hole: the ring of the arch is broken or cut off.
    """
    seen = [shadow_hole(points_mm, direction) for direction in candidates]
    areas = np.array([area for area, _ in seen])
    if areas.max() < SMALLEST_HOLE_MM2:
        return None
    best = int(np.argmax(areas))
    towards = candidates * np.sign(candidates @ candidates[best])[:, None]
    near = towards @ candidates[best] > np.cos(np.deg2rad(20.0))
    weights = np.where(near, np.clip(areas - 0.8 * areas[best], 0.0, None), 0.0)
    along = unit(weights @ towards)
    area, canal = shadow_hole(points_mm, along)
    if area < SMALLEST_HOLE_MM2:
        area, canal, along = areas[best], seen[best][1], candidates[best]
    bulk = np.round(depth_mm**BULK_POWER, DECIMALS)
    offset = np.round(canal - bulk @ points_mm / bulk.sum(), DECIMALS)  # no bit of the pose stays
    posterior = unit(offset - (offset @ along) * along)
    return Rough(canal_mm=canal, along=along, posterior=posterior, hole_mm2=area)


def cone(axis: Array, half_angle_deg: float, step_deg: float) -> Array:
    """Return unit directions (N, 3) on rings around an axis, a step apart, to half_angle [deg].

    Each ring is the same seen in a mirror.
    """
    first, second = across(axis)
    rows = [axis]
    for tilt in np.arange(step_deg, half_angle_deg + 0.1, step_deg):
        count = 2 * int(np.round(180.0 * np.sin(np.deg2rad(tilt)) / step_deg))
        t, a = np.deg2rad(tilt), (np.arange(count) * (2.0 * np.pi / count))[:, None]
        rows += list(np.cos(t) * axis + np.sin(t) * (np.cos(a) * first + np.sin(a) * second))
    return np.array(rows)
