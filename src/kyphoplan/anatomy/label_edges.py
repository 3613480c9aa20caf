"""Where a label map shows an endplate: between the voxels named bone and the others."""

import numpy as np
from scipy.special import log_ndtr

from kyphoplan.anatomy.cloud import Base, Cloud
from kyphoplan.anatomy.surface import Sightings, trials
from kyphoplan.geometry import Array

LABEL_MM = 0.15  # [mm] how sharply a label parts bone from the rest (ours)
LEAST_CHANCE = 20.0  # [1] a voxel labelled wrongly costs no more than this
TOGETHER = 4.0  # [voxel2] labels on less area err together; voxels as along the axis (ours)
MISLABELLED = 1e-4  # [1] chance that a place on the label tells nothing (ours)
CELL_MM = 2.0  # [mm] labels within are taken together
ROUNDED_SD = 0.29  # [voxel] of a surface of which a label shows one slice: uniform, 1/sqrt(12)
# [mm] half the wavelength at which a stiffness of 1e2 mm4 and what is seen balance: pi times its
# fourth root. Over less a surface bends unseen
BENDING_MM = 10.0


def labels_seen(points: Cloud, base: Base, sign: int, voxel_mm: Array) -> Sightings:
    """Tell how likely a surface near a base parts the voxels labelled as bone from the others.

    ``points`` hold the signed distance to the label; only the side of each voxel's centre is
    used. Gathered over cells of CELL_MM.
    """
    trial = trials(voxel_mm)
    cell = np.rint(np.stack([points.left, points.posterior], axis=1) / CELL_MM).astype(int)
    cells, member = np.unique(cell, axis=0, return_inverse=True)
    side = np.where(points.value < 0.0, 1.0, -1.0)
    weight = min(1.0, points.area / (TOGETHER * points.box**2))
    chance = np.zeros((len(cells), trial.size))
    for k, shift in enumerate(trial):
        margin = side * (shift - points.outward) / LABEL_MM
        chance[:, k] = np.bincount(
            member.ravel(), weight * np.maximum(log_ndtr(margin), -LEAST_CHANCE), len(cells)
        )
    left, posterior = cells.T * CELL_MM
    return Sightings(
        left=left,
        posterior=posterior,
        base=base.at(left, posterior),
        trial=sign * trial,
        chance=chance,
        seen=np.ones(len(cells), bool),
        stray=MISLABELLED,
    )


def rounded_mm(normal: Array, axis: Array, affine: Array) -> float:
    """Tell how well the slices alone show a place on a labelled endplate, along an axis (3,) [mm].

    Of an endplate that lies within one slice as far as it may bend unseen (BENDING_MM) no more is
    known than the slice. One that crosses n more slices there shows n steps: each terrace tells to
    a part of 1 / (1 + n) of a voxel, and there are 1 + n of them to be averaged.

    Examples
    --------
    >>> up = np.array([0.0, 0.0, 1.0])
    >>> aslant = np.array([0.0, np.sin(0.3), np.cos(0.3)])
    >>> [round(rounded_mm(normal, up, np.diag([1.0, 1.0, 2.0])), 2) for normal in (up, aslant)]
    [0.58, 0.15]
    """
    slices = np.linalg.inv(affine[:3, :3])  # rows: slices per mm along the patient's axes
    facing = slices[int(np.argmax(np.abs(slices @ normal) / np.linalg.norm(slices, axis=1)))]
    crossed = BENDING_MM * float(np.linalg.norm(facing - (facing @ normal) * normal))
    voxel = float(np.linalg.norm(axis @ affine[:3, :3]))  # [mm] along the axis
    return ROUNDED_SD * voxel / float((1.0 + crossed) ** 1.5)
