"""Signed distance to closed plane outlines."""

import numpy as np

from kyphoplan.geometry import Array


def outline_distance(points: Array, vertices: Array) -> Array:
    """Return the signed distance of points to a closed outline, negative inside [mm].

    Parameters
    ----------
    points : (..., M, 2) [mm].
    vertices : (..., R, 2) corners in order, not repeated [mm]; leading axes as those of points.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    >>> outline_distance(np.array([[1.0, 2.0], [5.0, 2.0]]), square)
    array([-1.,  1.])
    """
    x, y = points[..., 0], points[..., 1]
    nearest = np.full(points.shape[:-1], np.inf)
    inside = np.zeros(points.shape[:-1], dtype=bool)
    count = vertices.shape[-2]
    for j in range(count):
        ax, ay = (vertices[..., j, axis, None] for axis in range(2))
        bx, by = (vertices[..., (j + 1) % count, axis, None] for axis in range(2))
        ex, ey, px, py = bx - ax, by - ay, x - ax, y - ay
        t = np.clip((px * ex + py * ey) / np.maximum(ex * ex + ey * ey, 1e-12), 0.0, 1.0)
        nearest = np.minimum(nearest, (px - t * ex) ** 2 + (py - t * ey) ** 2)
        left = px * ey < ex * py
        inside ^= ((ay > y) != (by > y)) & (left == (by < ay))
    return np.asarray(np.where(inside, -1.0, 1.0) * np.sqrt(nearest))
