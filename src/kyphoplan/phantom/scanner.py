"""From a phantom to a CT with its label map: partial volume, blur, noise, pose, storage order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import LabelMap, Volume
from kyphoplan.geometry import Array, rotation
from kyphoplan.phantom.figures import Truth
from kyphoplan.phantom.known import truth
from kyphoplan.phantom.paint import Canvas
from kyphoplan.phantom.shape import Phantom
from kyphoplan.phantom.stack import Placed, stack
from kyphoplan.phantom.tissue import (
    AIR_HU,
    VERSE,
    paint_bead,
    paint_soft_tissue,
    paint_vertebra,
    reach,
)

COARSE_MM = 2.0  # [mm] voxels larger than this are averaged from three along that axis


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """A synthetic CT with all that is known of it.

    Attributes
    ----------
    ct : int16 [HU].
    labels : uint8 with the values of VerSe.
    truth : the figures of the spine in the pose of this scan.
    """

    ct: Volume
    labels: LabelMap
    truth: Truth


def scan(  # noqa: PLR0913 - the dials of a scanner
    phantom: Phantom,
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    tilt_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    orientation: str = "LPS",
    gantry_tilt_deg: float = 0.0,
    noise_hu: float = 15.0,
    blur_mm: float = 0.4,
    margin_mm: float = 20.0,
    rng: np.random.Generator | None = None,
) -> Scan:
    """Scan a phantom.

    Parameters
    ----------
    spacing_mm
        Voxel size along the scanner's x (left), y (posterior) and z (superior) [mm].
    tilt_deg
        The patient's pose: turned about the scanner's x, then y, then z [deg].
    orientation
        Storage order: the direction in which i, j and k grow, such as ``LPS`` or ``RAS``.
    gantry_tilt_deg
        The slices are turned about x while the table moves along z: a sheared affine [deg].
    noise_hu, blur_mm
        Standard deviations of the white noise [HU] and of the scanner's Gaussian blur [mm].
    margin_mm
        Distance around the bone that is in the field of view [mm].
    rng
        Source of noise and spongy bone's texture; a fresh generator with seed 0 if None.

    Examples
    --------
    >>> from kyphoplan.case import Level
    >>> result = scan(Phantom(levels=(Level.L1,)), spacing_mm=(3.0, 3.0, 3.0))
    >>> round(result.truth[Level.L1].posterior_height_mm)
    25
    """
    pose = rotation([0, 0, 1], tilt_deg[2]) @ rotation([0, 1, 0], tilt_deg[1])
    pose = pose @ rotation([1, 0, 0], tilt_deg[0])
    placed = stack(phantom)
    affine, shape = _grid(placed, pose, np.asarray(spacing_mm, float), gantry_tilt_deg, margin_mm)
    rng = np.random.default_rng(0) if rng is None else rng
    hu, labels = _rasterise(phantom, placed, (pose, affine, shape), blur_mm, rng)
    hu += rng.standard_normal(hu.shape, dtype=np.float32) * np.float32(noise_hu)
    stored = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    axes = _directions(orientation)
    return Scan(
        ct=Volume(stored, affine).reordered(axes),
        labels=LabelMap(
            volume=Volume(labels, affine).reordered(axes),
            levels={VERSE[level]: level for level in phantom.levels},
            scheme="verse",
            basis="stated by the phantom",
        ),
        truth=truth(phantom).turned(pose),
    )


def _directions(orientation: str) -> Array:
    """Return the rows of patient directions for three letters."""
    known = {"L": (0, 1.0), "R": (0, -1.0), "P": (1, 1.0), "A": (1, -1.0), "S": (2, 1.0)}
    known["I"] = (2, -1.0)
    try:
        pairs = [known[letter] for letter in orientation.upper()]
    except KeyError:
        pairs = []
    if sorted(axis for axis, _ in pairs) != [0, 1, 2]:
        raise ValueError(
            f"orientation {orientation!r}: give one letter of each of L/R, P/A and S/I, as in LPS"
        )
    rows = np.zeros((3, 3))
    for row, (axis, sign) in enumerate(pairs):
        rows[row, axis] = sign
    return rows


def _grid(
    placed: tuple[Placed, ...], pose: Array, spacing: Array, gantry_deg: float, margin: float
) -> tuple[Array, tuple[int, int, int]]:
    """Return the affine and shape of the scanner's grid around the spine."""
    columns = np.diag([1.0, 1.0, 1.0])
    columns[:, 1] = rotation([1, 0, 0], gantry_deg)[:, 1]
    columns = columns * spacing
    corners = np.concatenate([reach(item) for item in placed]) @ pose.T
    index = corners @ np.linalg.inv(columns).T
    low = np.floor(index.min(axis=0) - margin / spacing)
    count = np.ceil(index.max(axis=0) + margin / spacing) - low + 1
    affine = np.eye(4)
    affine[:3, :3] = columns
    affine[:3, 3] = columns @ low
    i, j, k = (int(n) for n in count)
    return affine, (i, j, k)


def _rasterise(
    phantom: Phantom,
    placed: tuple[Placed, ...],
    grid: tuple[Array, Array, tuple[int, int, int]],
    blur_mm: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the noiseless CT [HU] and the labels; coarse axes are sub-sampled."""
    pose, affine, shape = grid
    fine = np.where(np.linalg.norm(affine[:3, :3], axis=0) > COARSE_MM, 3, 1)
    inner = affine.copy()
    inner[:3, :3] = affine[:3, :3] / fine
    inner[:3, 3] = affine[:3, 3] - inner[:3, :3] @ ((fine - 1) / 2)
    inner[:3] = pose.T @ inner[:3]  # as the unrotated phantom sees the grid
    i, j, k = (int(n) for n in np.array(shape) * fine)
    canvas = Canvas(inner, (i, j, k), AIR_HU, blur_mm)
    paint_soft_tissue(canvas, placed)
    for order, item in enumerate(placed):
        paint_vertebra(canvas, phantom, item, placed[order - 1] if order else None, rng)
    if phantom.left_marker:
        paint_bead(canvas, placed[len(placed) // 2])
    split = (shape[0], fine[0], shape[1], fine[1], shape[2], fine[2])
    a, b, c = (fine - 1) // 2
    hu = canvas.hu.reshape(split).mean(axis=(1, 3, 5), dtype=np.float32)
    return hu, np.ascontiguousarray(canvas.labels.reshape(split)[:, a, :, b, :, c])
