"""The same scan stored, placed or mirrored otherwise; and all figures of a result in a row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np

from kyphoplan.anatomy import locate
from kyphoplan.case import LabelMap, Measurements, Volume
from kyphoplan.geometry import Array
from kyphoplan.morphometry import measure
from kyphoplan.report import measurements_to_json

Order = tuple[tuple[int, ...], tuple[bool, ...]]
ORDERS: tuple[Order, ...] = tuple(
    product(permutations(range(3)), product((False, True), repeat=3))
)


def stored(volume: Volume, order: Order) -> Volume:
    """Store a volume with its axes permuted and flipped; every voxel stays in its place."""
    axes, flips = order
    voxels, affine = volume.voxels.transpose(axes), volume.affine.copy()
    affine[:3, :3] = affine[:3, list(axes)]
    for axis, flip in enumerate(flips):
        if flip:
            voxels = np.flip(voxels, axis)
            affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
            affine[:3, axis] *= -1.0
    return Volume(np.ascontiguousarray(voxels), affine)


def placed(volume: Volume, matrix: Array, shift_mm: Sequence[float] = (0.0, 0.0, 0.0)) -> Volume:
    """Move a volume in the patient's frame; the voxels stay as they are stored."""
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = matrix, shift_mm
    return Volume(volume.voxels, motion @ volume.affine)


def relabelled(labels: LabelMap, change: Callable[[Volume], Volume]) -> LabelMap:
    """Change the volume of a label map."""
    return replace(labels, volume=change(labels.volume))


def measured(labels: LabelMap, ct: Volume | None = None) -> Measurements:
    """Locate and measure."""
    return measure(locate(labels, ct), ct)


def figures(measurements: Measurements) -> dict[str, Any]:
    """Every figure and word of the result by its path; places in the patient left out."""
    return dict(_leaves(measurements_to_json(measurements), ""))


def _leaves(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key != "centre_mm":
                yield from _leaves(value, f"{path}.{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _leaves(value, f"{path}.{number}")
    else:
        yield path, data


def different(first: dict[str, Any], second: dict[str, Any], tolerance: float) -> list[str]:
    """Name what is not the same in two results: numbers within a tolerance (of 1, relative)."""
    if first.keys() != second.keys():
        return sorted(first.keys() ^ second.keys())
    return [
        f"{path}: {a} / {b}"
        for path, a in first.items()
        if not _same(a, b := second[path], tolerance)
    ]


def _same(a: Any, b: Any, tolerance: float) -> bool:
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return abs(a - b) <= tolerance * max(1.0, abs(a)) if numbers else bool(a == b)
