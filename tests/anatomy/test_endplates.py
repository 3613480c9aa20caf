"""Endplates, walls and body: on the bone's surface, spurs left out."""

import numpy as np
import pytest

from kyphoplan.case import Body, Level, Part, Spine, Vertebra
from kyphoplan.geometry import Array, angle_deg

from .conftest import Located

pytestmark = pytest.mark.slow
LEVELS = [pytest.param(level, id=str(level)) for level in (Level.T12, Level.L1, Level.L2)]
STATIONS = ("anterior", "middle", "posterior")


def body_of(spine: Spine, level: Level) -> Body:
    body = spine[level].body
    assert body is not None
    return body


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("which", ["from_labels", "with_ct"])
def test_the_six_points_lie_on_the_phantoms_endplates(
    burst: Located, level: Level, which: str
) -> None:
    body, truth = body_of(getattr(burst, which), level), burst.image.truth[level]
    for plate, true in (
        (body.superior, truth.superior_points_mm),
        (body.inferior, truth.inferior_points_mm),
    ):
        found = np.array([getattr(plate, f"{station}_mm") for station in STATIONS])
        assert np.abs((found - true) @ truth.superior).max() < 1.2
        assert np.abs((found - true) @ truth.posterior).max() < 2.0
        assert np.abs((found - true) @ truth.left).max() < 1.5


@pytest.mark.parametrize("level", LEVELS)
def test_the_frame_is_the_bodys_own(burst: Located, level: Level) -> None:
    truth = burst.image.truth[level]
    for spine in burst.both:
        frame = spine[level].frame
        assert frame is not None
        assert angle_deg(frame.superior, truth.superior) < 2.5
        assert angle_deg(frame.left, truth.left) < 3.0
        assert np.linalg.norm(frame.origin_mm - truth.centre_mm) < 1.5
        assert np.linalg.det(frame.axes) == pytest.approx(1.0)


@pytest.mark.parametrize("level", LEVELS)
def test_the_normals_point_out_of_the_body(burst: Located, level: Level) -> None:
    body, truth = body_of(burst.with_ct, level), burst.image.truth[level]
    assert body.superior.normal @ truth.superior > 0.9
    assert body.inferior.normal @ truth.superior < -0.9


@pytest.mark.parametrize("level", LEVELS)
def test_the_walls_run_from_foot_to_head_where_the_phantom_has_them(
    burst: Located, level: Level
) -> None:
    body, truth = body_of(burst.from_labels, level), burst.image.truth[level]
    for wall, true in (
        (body.anterior_wall_mm, truth.anterior_wall_mm),
        (body.posterior_wall_mm, truth.posterior_wall_mm),
    ):
        heights = wall @ truth.superior
        assert (np.diff(heights) > 0).all()
        nearest = wall[np.argmin(np.abs(heights - true @ truth.superior))]
        assert abs((nearest - true) @ truth.posterior) < 1.5
    assert body.depth_mm == pytest.approx(truth.depth_mm, rel=0.08)


def test_the_ct_places_most_of_the_surface_and_halves_the_uncertainty(burst: Located) -> None:
    for level in burst.with_ct.levels:
        rough, sharp = (body_of(spine, level).superior for spine in burst.both)
        assert rough.refined_fraction == 0.0
        assert sharp.refined_fraction > 0.5
        assert (sharp.sd_mm < rough.sd_mm).all()


def test_osteophytes_do_not_count_as_height_or_depth(spurred: Located) -> None:
    for spine in spurred.both:
        for level in spine.levels:
            body, truth = body_of(spine, level), spurred.image.truth[level]
            frame = spine[level].frame
            assert frame is not None
            for station, true in zip(STATIONS, truth.heights_mm, strict=True):
                top = getattr(body.superior, f"{station}_mm")
                bottom = getattr(body.inferior, f"{station}_mm")
                assert (top - bottom) @ frame.superior == pytest.approx(true, abs=0.8), station
            assert body.depth_mm == pytest.approx(truth.depth_mm, rel=0.08)


def test_spurs_are_parted_from_the_body(spurred: Located) -> None:
    for level in spurred.from_labels.levels:
        vertebra, truth = spurred.from_labels[level], spurred.image.truth[level]
        assert vertebra.frame is not None
        spur = places_of(vertebra, Part.OSTEOPHYTE)
        front = vertebra.frame.to_local(truth.anterior_wall_mm)[1]
        assert np.median(spur[:, 1]) < front + 4.0
        assert vertebra.parts is not None
        body = (vertebra.parts.voxels == Part.BODY).sum() * vertebra.parts.voxel_mm3 / 1000.0
        assert body == pytest.approx(truth.body_volume_ml, rel=0.03)


def test_a_body_without_spurs_has_none(burst: Located) -> None:
    for level in (Level.T12, Level.L2):
        parts = burst.from_labels[level].parts
        assert parts is not None
        spur = (parts.voxels == Part.OSTEOPHYTE).sum() * parts.voxel_mm3
        assert spur < 0.01 * 1000.0 * burst.image.truth[level].body_volume_ml


@pytest.mark.parametrize("level", LEVELS)
def test_the_arch_lies_behind_the_body(burst: Located, level: Level) -> None:
    vertebra, truth = burst.from_labels[level], burst.image.truth[level]
    assert vertebra.frame is not None
    wall = vertebra.frame.to_local(truth.posterior_wall_mm)[1]
    assert np.percentile(places_of(vertebra, Part.ARCH)[:, 1], 2) > wall - 6.0
    assert np.percentile(places_of(vertebra, Part.BODY)[:, 1], 98) < wall + 6.0


def places_of(vertebra: Vertebra, part: Part) -> Array:
    """Local positions (N, 3) of the voxels of a part [mm]."""
    assert vertebra.parts is not None
    assert vertebra.frame is not None
    index = np.argwhere(vertebra.parts.voxels == part)
    return vertebra.frame.to_local(vertebra.parts.to_patient(index))
