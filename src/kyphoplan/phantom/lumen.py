"""The known area of a phantom's canal: an oval, less the bone in it, up to the bone around it."""

from functools import lru_cache

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.phantom.arch import arch, canal
from kyphoplan.phantom.body import VertebraShape, body

AREA_MM = 0.25  # [mm] sampling of the area
HEIGHTS = 21  # [1] sections among which the narrowest is sought
AROUND_DEG = 5.0  # [deg] between the rays from the oval to the bone around it
BESIDE_MM, BESIDE_STEP_MM = 2.0, 0.1  # [mm] bone no farther from the oval bounds the canal


@lru_cache(maxsize=256)
def narrowest(s: VertebraShape, ends_mm: tuple[float, float]) -> tuple[float, float]:
    """Return the smallest area [mm2] between two heights z, and the height where it lies [mm].

    The oval less the body's bone, and the narrow space between the oval and the bone around it:
    a waisted wall and the pedicles' rounded flanks touch the oval in places only.
    """
    a = s.sizes.canal_width / 2 + 1
    x, y = np.meshgrid(
        np.arange(-a, a, AREA_MM) + AREA_MM / 2,
        np.arange(s.posterior - 1, s.posterior + 2 * a, AREA_MM) + AREA_MM / 2,
        indexing="ij",
    )
    ring = canal(s, x, y)
    x, y, ring = x[ring < 1], y[ring < 1], ring[ring < 1]
    heights = np.linspace(*ends_mm, HEIGHTS)
    areas = _beside_oval(s, heights)
    for k, z in enumerate(heights):
        lumen = np.maximum(ring, -body(s, x, y, np.full_like(x, z))[0])
        areas[k] += np.clip(0.5 - lumen / AREA_MM, 0, 1).sum() * AREA_MM**2
    return float(areas.min()), float(heights[np.argmin(areas)])


def _beside_oval(s: VertebraShape, heights: Array) -> Array:
    """Return the areas (Z,) between the oval and the bone within BESIDE_MM of it [mm2].

    In a direction without such bone (a foramen, above a lamina) the canal reaches as far as it
    does usually: the median over the heights with bone there.
    """
    half = np.array([s.sizes.canal_width, s.sizes.canal_depth]) / 2
    angle = np.arange(0.0, 2.0 * np.pi, np.deg2rad(AROUND_DEG))
    way = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    oval = (np.abs(way / half) ** 2.5).sum(axis=1) ** -0.4  # as `canal`
    steps = np.arange(0.0, BESIDE_MM, BESIDE_STEP_MM)
    x, y = np.moveaxis((oval[:, None] + steps)[..., None] * way[:, None], -1, 0)
    z = np.broadcast_to(heights[:, None, None], (heights.size, *x.shape))
    x, y = np.broadcast_arrays(x, y + s.posterior + half[1], z)[:2]
    solid = np.minimum(body(s, x, y, z)[0], arch(s, x, y, z)) < 0.5 * BESIDE_STEP_MM
    gap = np.where(solid.any(axis=-1), steps[np.argmax(solid, axis=-1)], np.nan)
    usual = np.array([np.median(g[~np.isnan(g)]) if (~np.isnan(g)).any() else 0.0 for g in gap.T])
    wide = oval + np.where(np.isnan(gap), usual, gap)
    return np.asarray(0.5 * np.deg2rad(AROUND_DEG) * (wide**2 - oval**2).sum(axis=1))
