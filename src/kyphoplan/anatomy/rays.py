"""Star-shaped cross-sections: rays from a centre to the surface, and their moments."""

import numpy as np
from scipy import ndimage

from kyphoplan.case import Volume
from kyphoplan.geometry import Array

RAYS = 72  # [1] directions around a centre, every 5 degrees
RAY_STEP_MM = 0.5  # [mm]
ANGLES = np.arange(RAYS) * (2.0 * np.pi / RAYS)  # [rad]


def sample(volume: Volume, positions_mm: Array) -> Array:
    """Linear interpolation of a volume at patient positions (..., 3); NaN outside its grid."""
    index = np.moveaxis(volume.to_indices(positions_mm), -1, 0)
    voxels = np.asarray(volume.voxels, np.float32)
    return np.asarray(
        ndimage.map_coordinates(voxels, index, order=1, mode="constant", cval=np.nan)
    )


def directions(first: Array, second: Array) -> Array:
    """Return unit vectors (..., R, 3) around planes spanned by two unit vectors (..., 3).

    Ray 0 runs along the first.
    """
    c, s = np.cos(ANGLES)[:, None], np.sin(ANGLES)[:, None]
    return np.asarray(c * first[..., None, :] + s * second[..., None, :])


def radii(
    field: Volume, centres_mm: Array, rays: Array, reach_mm: float, *, leaving: bool
) -> Array:
    """Distance (S, R) from centres (S, 3) along rays to a surface [mm]; NaN if none.

    ``rays`` are (R, 3), or (S, R, 3) where each section has its own.

    ``leaving``: from inside (negative field) to outside; otherwise from outside into bone.
    A ray that starts on the wrong side has no surface.
    """
    t = np.arange(0.0, reach_mm + RAY_STEP_MM, RAY_STEP_MM)
    values = sample(field, centres_mm[:, None, None, :] + t[:, None] * rays[..., None, :])
    values = np.where(np.isnan(values), 5.0, values)
    values = -values if leaving else values
    change = (values[..., :-1] > 0) & (values[..., 1:] <= 0)
    found = change.any(axis=-1) & (values[..., 0] > 0)
    step = np.argmax(change, axis=-1)
    a = np.take_along_axis(values, step[..., None], -1)[..., 0]
    b = np.take_along_axis(values, step[..., None] + 1, -1)[..., 0]
    share = a / np.where(found, a - b, 1.0)
    return np.where(found, (step + share) * RAY_STEP_MM, np.nan)


def area(radius: Array) -> Array:
    """Area (...) of star-shaped sections with radii (..., R) [mm2]."""
    return np.asarray(0.5 * (radius**2).sum(axis=-1) * (2.0 * np.pi / RAYS))


def centroid(radius: Array) -> Array:
    """Centroid (..., 2) of star-shaped sections along the two spanning directions [mm]."""
    weight = radius**3 / 3.0 * (2.0 * np.pi / RAYS)
    total = area(radius)[..., None]
    return np.asarray(
        np.stack([weight @ np.cos(ANGLES), weight @ np.sin(ANGLES)], axis=-1) / total
    )


def ellipse(radius: Array) -> tuple[float, float]:
    """Diameters [mm] of the ellipse with the same second moments, nearest to each direction.

    Examples
    --------
    >>> a, b = ellipse(1.0 / np.sqrt((np.cos(ANGLES) / 4) ** 2 + (np.sin(ANGLES) / 7) ** 2))
    >>> round(a, 3), round(b, 3)
    (8.0, 14.0)
    """
    weight = radius**4 / 4.0 * (2.0 * np.pi / RAYS)
    total = float(area(radius))
    x, y = centroid(radius)
    c, s = np.cos(ANGLES), np.sin(ANGLES)
    xx = float(weight @ (c * c)) / total - x * x
    yy = float(weight @ (s * s)) / total - y * y
    xy = float(weight @ (c * s)) / total - x * y
    values, vectors = np.linalg.eigh(np.array([[xx, xy], [xy, yy]]))
    first = int(np.argmax(np.abs(vectors[0])))
    diameters = 4.0 * np.sqrt(values)
    return float(diameters[first]), float(diameters[1 - first])
