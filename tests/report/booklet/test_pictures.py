"""The drawings: the patient's own outline, sides right, what is drawn lies in the frame."""

import re
from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Part
from kyphoplan.geometry import Array
from kyphoplan.report.booklet.catalogue import catalogue
from kyphoplan.report.booklet.outline import bone_rings
from kyphoplan.report.booklet.pictures import STEPS, StepPicture, bone_picture, step_pictures
from kyphoplan.report.plane import Window
from kyphoplan.report.sagittal import mid_sagittal

from ...planned import planned

WORDS = catalogue("en")
VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
NEEDLE = re.compile(
    r'd="M([^"]+)Z" fill="#ffffff" stroke="#17212b" stroke-width="0.5"/>'
)  # not the hollow, whose rim is dashed
BEFORE = 'stroke-dasharray="2 1.2"'


@pytest.fixture(scope="module")
def steps() -> tuple[StepPicture, ...]:
    c = planned()
    return step_pictures(c.spine, c.plan.levels[0], WORDS)


def area(ring: Array) -> float:
    u, v = ring.T
    return 0.5 * abs(float(np.dot(u, np.roll(v, 1)) - np.dot(v, np.roll(u, 1))))


def test_the_outline_holds_the_area_that_the_label_map_has() -> None:
    vertebra = planned().spine["L1"]
    assert vertebra.frame is not None
    assert vertebra.parts is not None
    assert vertebra.body is not None
    plane = mid_sagittal(vertebra.frame)
    window = Window(u_low=-40, u_high=60, v_low=-40, v_high=40)
    rings = bone_rings(vertebra, plane, window, arch=False)
    parts, step = vertebra.parts, float(vertebra.parts.spacing_mm[0])
    middle = round(float(parts.to_indices(vertebra.frame.origin_mm)[0]))
    truth = float((parts.voxels[middle] == Part.BODY).sum()) * step**2
    assert sum(area(ring) for ring in rings) == pytest.approx(truth, rel=0.04)


def test_the_broken_bone_is_drawn_with_its_neighbours_and_its_height_before() -> None:
    c = planned()
    drawn = bone_picture(c.spine, c.measurements, c.plan.levels[0].level, WORDS)
    assert drawn is not None
    for word in ("T12", "L1", "L2", "front", "back", "head", "feet", "before", "nerves"):
        assert f">{word}</text>" in drawn
    assert drawn.count('fill="url(#L1-bone-broken)"') == 1
    assert BEFORE in drawn


def test_a_bone_that_was_not_located_has_no_picture() -> None:
    c = planned()
    level = c.plan.levels[0].level
    blank = tuple(
        replace(v, parts=None, body=None) if v.level is level else v for v in c.spine.vertebrae
    )
    spine = replace(c.spine, vertebrae=blank)
    assert bone_picture(spine, c.measurements, level, WORDS) is None


def test_every_step_is_seen_from_the_side_and_from_the_feet(
    steps: tuple[StepPicture, ...],
) -> None:
    assert tuple(picture.step for picture in steps) == STEPS
    fills = {"balloon": "balloon", "cement": "cement"}
    for picture in steps[1:]:
        if picture.step in fills:
            fill = f'fill="url(#L1-{picture.step}-across-{fills[picture.step]})"'
            assert picture.across.count(fill) == 2
            assert picture.side.count(fill.replace("across", "side")) == 1


def test_from_the_feet_the_patients_right_is_on_the_left(steps: tuple[StepPicture, ...]) -> None:
    for picture in steps:
        words = re.findall(r'<text x="([\d.]+)"[^>]*>(your \w+)</text>', picture.across)
        place = {side: float(x) for x, side in words}
        assert place["your right"] < place["your left"]
        assert "your" not in picture.side


def test_the_left_needle_is_drawn_on_the_patients_left() -> None:
    c = planned()
    level = c.plan.levels[0]
    alone = replace(level, trajectories=level.trajectories[:1], inflations=level.inflations[:1])
    across = step_pictures(c.spine, alone, WORDS)[0].across
    width = float(re.findall(r'viewBox="0 0 ([\d.]+)', across)[0])
    needle = re.findall(r'd="M([^"]+)Z" fill="#ffffff"', across)
    places = [float(pair.split()[0]) for pair in needle[-1].split("L")]
    words = re.findall(r'<text x="([\d.]+)"[^>]*>(your \w+)</text>', across)
    left = next(float(x) for x, side in words if side == "your left")
    assert left > 0.5 * width
    assert np.mean(places) > 0.5 * width


def test_all_that_is_drawn_lies_in_the_frame_and_both_views_have_one_scale(
    steps: tuple[StepPicture, ...],
) -> None:
    for picture in steps:
        sizes = [VIEW.findall(panel)[0] for panel in (picture.side, picture.across)]
        assert sizes[0] == sizes[1]
        needles = NEEDLE.findall(picture.across)
        assert len(needles) == 2
        for needle in needles:
            points = np.array([[float(x) for x in p.split()] for p in needle.split("L")])
            assert (points >= 0).all()
            assert (points <= [float(x) for x in sizes[0]]).all()


def test_a_refused_needle_or_balloon_is_never_drawn() -> None:
    c = planned()
    level = c.plan.levels[0]
    bad = tuple(replace(t, accepted=False) for t in level.trajectories)
    assert step_pictures(c.spine, replace(level, trajectories=bad), WORDS) == ()
    flat = tuple(replace(b, accepted=False) for b in level.inflations)
    drawn = step_pictures(c.spine, replace(level, inflations=flat), WORDS)
    assert all("-balloon)" not in p.across.split("</defs>")[1] for p in drawn)
