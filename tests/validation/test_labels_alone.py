"""What a label map cannot tell: two bodies that are labelled alike, voxel for voxel, and differ.

A label says on which side of the bone's surface a voxel's centre lies. A stretch of space that
leaves the slices' planes where they are moves no centre, so it changes no label; what lies between
two planes it moves by up to a quarter of their distance. If the figure of the two bodies differs
by more than twice a limit, no answer whatever keeps within the limit for both: the limit can then
be met with the CT only, and the labels' own interval has to say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Measure
from kyphoplan.geometry import Array, unit
from kyphoplan.morphometry import measure
from kyphoplan.phantom import LevelTruth, Phantom, Scan, scan
from kyphoplan.phantom.stack import stack
from kyphoplan.phantom.tissue import bone

HEIGHT_LIMIT_MM, ANGLE_LIMIT_DEG = 1.0, 1.0  # [mm, deg] of the targets in test_phantom_truth.py
STRONG = 0.95  # [1] below 1 the stretch keeps the order of all heights
EVEN_MM = 3.0  # [mm] over which the back goes over to the front


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A continuous, one-to-one shift along z that leaves the planes between slices in place.

    Attributes
    ----------
    step_mm : distance of the planes, which lie at its multiples.
    upwards : 1 moves the superior endplate up and the inferior one down, -1 the other way round.
    tilting : True moves the back so and the front the other way.
    """

    step_mm: float
    upwards: float
    tilting: bool

    def _strength(self, points_mm: Array) -> tuple[Array, Array]:
        t = points_mm[..., 2] / self.step_mm
        slab = np.floor(t)
        back = np.tanh(points_mm[..., 1] / EVEN_MM) if self.tilting else 1.0
        return t - slab, STRONG * self.upwards * np.where(slab >= 0, 1.0, -1.0) * back

    def __call__(self, points_mm: Array) -> Array:
        """Move points (..., 3)."""
        t, a = self._strength(points_mm)
        moved = points_mm.copy()
        moved[..., 2] += self.step_mm * a * t * (1.0 - t)
        return moved

    def undone(self, points_mm: Array) -> Array:
        """Say where moved points (..., 3) were before."""
        t, a = self._strength(points_mm)
        a = np.where(np.abs(a) < 1e-9, 1e-9, a)
        before = ((1.0 + a) - np.sqrt((1.0 + a) ** 2 - 4.0 * a * t)) / (2.0 * a)
        moved = points_mm.copy()
        moved[..., 2] += self.step_mm * (before - t)
        return moved


def labelled(phantom: Phantom, image: Scan, stretch: Stretch) -> Array:
    """Label the voxels whose centre lies in the stretched vertebra."""
    volume = image.labels.volume
    centres = volume.to_patient(np.moveaxis(np.indices(volume.shape), 0, -1))
    (item,) = stack(phantom)
    return np.minimum.reduce(bone(item, stretch.undone(centres), None)) < 0.0


def heights(truth: LevelTruth, stretch: Stretch) -> Array:
    """Return the three heights [mm] of the stretched body along its axis, which stays upright."""
    tops, bottoms = stretch(truth.superior_points_mm), stretch(truth.inferior_points_mm)
    return (tops - bottoms) @ truth.superior


def wedge_deg(truth: LevelTruth, stretch: Stretch) -> float:
    """Return the angle of the stretched body's endplate lines [deg]."""
    top, bottom = (
        unit(points[2] - points[0])
        for points in (stretch(truth.superior_points_mm), stretch(truth.inferior_points_mm))
    )
    return float(np.rad2deg(np.arctan2(np.cross(bottom, top) @ truth.left, bottom @ top)))


def both(step_mm: float, *, tilting: bool) -> Sequence[Stretch]:
    return [Stretch(step_mm=step_mm, upwards=up, tilting=tilting) for up in (1.0, -1.0)]


def admits(figure: Measure, true: float, limit: float) -> None:
    """Check that an interval holds the unstretched truth and reaches beyond the limit."""
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < true < figure.high
    assert figure.high - figure.low > 2.0 * limit


@pytest.mark.parametrize("stretch", [*both(3.0, tilting=False), *both(1.0, tilting=True)])
def test_a_stretch_is_one_to_one_and_undone(stretch: Stretch) -> None:
    z = np.linspace(-20.0, 20.0, 4001)
    for y in (-15.0, -2.0, 0.0, 2.0, 15.0):
        points = np.stack([0.0 * z, 0.0 * z + y, z], axis=-1)
        moved = stretch(points)
        assert (np.diff(moved[:, 2]) > 0).all()
        np.testing.assert_allclose(stretch.undone(moved), points, atol=1e-6)


@pytest.mark.slow
def test_no_method_tells_all_heights_to_1_mm_from_labels_of_3_mm_slices() -> None:
    phantom = Phantom(levels=(Level.T10,))
    image = scan(phantom, spacing_mm=(1.5, 1.5, 3.0))
    tall, flat = both(3.0, tilting=False)
    truth = image.truth["T10"]
    for stretch in (tall, flat):
        assert np.array_equal(labelled(phantom, image, stretch), image.labels.volume.voxels > 0)
    apart = heights(truth, tall) - heights(truth, flat)
    assert (apart[[0, 2]] > 2.0 * HEIGHT_LIMIT_MM).all()
    row = measure(locate(image.labels))["T10"]
    for figure, true in (
        (row.anterior_height, truth.anterior_height_mm),
        (row.posterior_height, truth.posterior_height_mm),
    ):
        admits(figure, true, HEIGHT_LIMIT_MM)


@pytest.mark.slow
def test_no_method_tells_all_angles_to_1_degree_from_labels_of_1_mm_slices() -> None:
    phantom = Phantom(levels=(Level.T12,))
    image = scan(phantom, spacing_mm=(1.5, 1.5, 1.0))
    forward, backward = both(1.0, tilting=True)
    truth = image.truth["T12"]
    for stretch in (forward, backward):
        assert np.array_equal(labelled(phantom, image, stretch), image.labels.volume.voxels > 0)
    angles = sorted(wedge_deg(truth, stretch) for stretch in (forward, backward))
    assert angles[1] - angles[0] > 2.0 * ANGLE_LIMIT_DEG
    figure = measure(locate(image.labels))["T12"].wedge_angle
    admits(figure, truth.wedge_angle_deg, ANGLE_LIMIT_DEG)
