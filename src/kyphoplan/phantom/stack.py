"""The vertebrae placed along the curve of the spine, each facing its neighbour over the disc."""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from kyphoplan.case import Level
from kyphoplan.geometry import Array, Frame, rotation
from kyphoplan.phantom.body import STATIONS, VertebraShape, endplates, vertebra_shape
from kyphoplan.phantom.shape import Phantom

PIVOT_MM = 16.0  # [mm] in front of the posterior wall: where neighbours are stacked


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """One vertebra and the place of its own frame in the phantom."""

    shape: VertebraShape
    frame: Frame

    @property
    def level(self) -> Level:
        """The vertebra's level."""
        return self.shape.level

    def local(self, points_mm: Array) -> tuple[Array, Array, Array]:
        """Return phantom positions (..., 3) as x, y, z of the vertebra's own frame [mm]."""
        own = self.frame.to_local(points_mm)
        return own[..., 0], own[..., 1], own[..., 2]


@lru_cache(maxsize=64)
def stack(phantom: Phantom) -> tuple[Placed, ...]:
    """Place all vertebrae of a phantom, from head to tail.

    The mean of their axes is upright and the mean of their origins is the origin.
    """
    shapes = [vertebra_shape(phantom, level) for level in phantom.levels]
    poses = [np.eye(4)]
    for upper, lower in reversed(list(pairwise(shapes))):
        above = (
            _face(lower, "superior") @ _disc(phantom, upper) @ _inverse(_face(upper, "inferior"))
        )
        poses.insert(0, poses[0] @ above)
    axes = np.mean([pose[:3, :3] for pose in poses], axis=0)
    middle = Frame.from_directions(
        np.mean([pose[:3, 3] for pose in poses], axis=0), superior=axes[:, 2], posterior=axes[:, 1]
    )
    return tuple(
        Placed(
            shape=shape,
            frame=Frame(
                origin_mm=middle.to_local(pose[:3, 3]), axes=pose[:3, :3].T @ middle.axes.T
            ),
        )
        for shape, pose in zip(shapes, poses, strict=True)
    )


def _pose(turn: Array, shift: Array) -> Array:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, shift
    return pose


def _inverse(pose: Array) -> Array:
    return np.asarray(np.linalg.inv(pose))


def _disc(phantom: Phantom, above: VertebraShape) -> Array:
    """Return the motion across the disc below a vertebra, from its lower to its upper face."""
    spread = 1.0 / max(len(phantom.levels) - 1, 1)
    bend = phantom.kyphosis_deg * spread - above.sizes.disc_lordosis_deg
    turn = (
        rotation([0, 0, 1], phantom.axial_rotation_deg * spread)
        @ rotation([0, 1, 0], phantom.scoliosis_deg * spread)
        @ rotation([1, 0, 0], bend)
    )
    half = _pose(np.eye(3), np.array([0.0, 0.0, above.sizes.disc / 2]))
    return np.asarray(half @ _pose(turn, np.zeros(3)) @ half)


def _face(s: VertebraShape, which: str) -> Array:
    """Return the pose of a rim plane: z out of the upper or into the lower face.

    Where the endplate is broken the face follows the chord of its 15 and 85 % points.
    """
    sign = 1.0 if which == "superior" else -1.0
    rise = sign * (s.sizes.posterior - s.sizes.anterior) / 2
    centre = np.array([0.0, s.posterior - PIVOT_MM * s.scale, 0.0])
    depth = (centre[1] - s.anterior) / s.sizes.depth
    centre[2] = sign * s.sizes.anterior / 2 + rise * depth
    tilt = np.rad2deg(np.arctan2(rise, s.sizes.depth))
    face = _pose(rotation([1, 0, 0], tilt), centre)
    whole = replace(s, collapse=type(s.collapse)(level=s.level))
    return np.asarray(_chord(s, which) @ _inverse(_chord(whole, which)) @ face)


def _chord(s: VertebraShape, which: str) -> Array:
    """Return the pose of the line through an endplate's 15 and 85 % points."""
    y = s.anterior + np.array([STATIONS[0], STATIONS[2]]) * s.sizes.depth
    top, bottom = endplates(s, np.zeros(2), y)
    z = top if which == "superior" else bottom
    tilt = np.rad2deg(np.arctan2(z[1] - z[0], y[1] - y[0]))
    return _pose(rotation([1, 0, 0], tilt), np.array([0.0, y.mean(), z.mean()]))
