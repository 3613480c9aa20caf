"""The scan in coordinates of its own: stored along the patient's axes, its lattice at rest.

Wherever and however the patient lay, all that follows computes with the same numbers; what was
found is moved back into the patient's frame at the end.
"""

import numpy as np

from kyphoplan.anatomy.bones import cut_out, rough_of
from kyphoplan.anatomy.frame import settle
from kyphoplan.case import LabelMap, Volume
from kyphoplan.geometry import Array, Frame, Motion, unit

DECIMALS = 9  # [1] of the affines: the rounding error of a moved patient goes


def at_home(labels: LabelMap, ct: Volume | None) -> tuple[Volume, Volume | None, Motion]:
    """Return label map and CT in the map's own coordinates, and the motion back to the patient.

    The axes run nearly to the patient's left, posterior and superior; the origin is the map's
    centre.
    """
    axes = _patient_axes(labels)
    volume = labels.volume if axes is None else labels.volume.reordered(axes)
    rested, home = _rested(volume)
    if ct is not None:
        away = Motion(rotation=home.rotation.T, shift_mm=-home.rotation.T @ _centre(volume))
        ct = ct.reordered(home.rotation.T)
        ct = Volume(ct.voxels, np.round(away.affine(ct.affine), DECIMALS))
    return rested, ct, home


def _centre(volume: Volume) -> Array:
    """Centre of the block of voxels [mm, LPS]."""
    return volume.to_patient((np.array(volume.shape) - 1) / 2)


def _rested(volume: Volume) -> tuple[Volume, Motion]:
    """Return a volume placed by its own lattice alone, and the motion from there to its place."""
    u, _, vt = np.linalg.svd(volume.affine[:3, :3] / volume.spacing_mm)
    turn = np.asarray(u @ vt)  # the voxel axes made orthogonal
    affine = np.eye(4)
    affine[:3, :3] = np.round(turn.T @ volume.affine[:3, :3], DECIMALS)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(volume.shape) - 1) / 2)
    shift = np.round(_centre(volume), DECIMALS)
    return Volume(volume.voxels, affine), Motion(rotation=turn, shift_mm=shift)


def _patient_axes(labels: LabelMap) -> Array | None:
    """Left, posterior and superior (rows) of the largest vertebra that shows its canal.

    None if no vertebra does.
    """
    volume, home = _rested(labels.volume)
    counts = {v: int((volume.voxels == v).sum()) for v in labels.levels}
    head = _line_of_centres(volume, labels)
    for value in sorted(counts, key=lambda v: (-counts[v], v)):
        bone = cut_out(volume, value, labels.levels[value])
        rough = None if bone is None else rough_of(bone, None)
        if bone is None or rough is None:
            continue
        found = settle(bone.field, rough, head)
        if found is not None:
            superior, posterior = found[0].superior, found[0].posterior
            return Frame.from_directions(
                np.zeros(3),
                superior=home.directions(superior),
                posterior=home.directions(posterior),
            ).axes
    return None


def _line_of_centres(volume: Volume, labels: LabelMap) -> Array | None:
    """Direction from the lowest to the highest labelled vertebra; None if there is only one."""
    centres = [
        volume.to_patient(np.argwhere(volume.voxels == value).mean(axis=0))
        for value in labels.levels
        if (volume.voxels == value).any()
    ]
    return unit(centres[0] - centres[-1]) if len(centres) > 1 else None
