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
STEPS_TOLD = 2.0  # [1] over that length tell how the surface runs (phantoms)


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


def crossed(normal: Array, affine: Array) -> float:
    """Slices that an endplate crosses as far as it may bend unseen (BENDING_MM) [1].

    Counted along the axis of the voxels that its normal (3,) follows most.

    Examples
    --------
    >>> aslant = np.array([0.0, np.sin(0.3), np.cos(0.3)])
    >>> round(crossed(aslant, np.diag([1.0, 1.0, 2.0])), 2)
    1.48
    """
    slices = np.linalg.inv(affine[:3, :3])  # rows: slices per mm along the patient's axes
    facing = slices[int(np.argmax(np.abs(slices @ normal) / np.linalg.norm(slices, axis=1)))]
    return BENDING_MM * float(np.linalg.norm(facing - (facing @ normal) * normal))


def rounded(steps: float) -> float:
    """How well a label that shows some steps of an endplate tells a place on it [voxel].

    Of an endplate within one slice no more is known than the slice. One that crosses n more shows
    n steps: each terrace tells to a part of 1 / (1 + n) of a voxel, and there are 1 + n of them
    to be averaged.
    """
    return ROUNDED_SD / float((1.0 + steps) ** 1.5)


def hidden(steps: float) -> float:
    """Part of the doubt of a surface's fit that a label with some steps leaves [1].

    Below about two steps a smooth surface can lie the other way between them than it is fitted:
    all of the doubt stays. From three on none does.
    """
    return float(np.exp(-((steps / STEPS_TOLD) ** 4)))
