"""The whole spine in two views: names on their own bodies, sides in words."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Genant, Grade, Level, Part, Shape, Vertebra, Volume
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import rotation
from kyphoplan.report import draw_overview
from kyphoplan.report.canvas import PART_GREY
from kyphoplan.report.overview import spine_frame

from .conftest import PITCH, Case
from .drawn import every_text, side_words, text_at


def test_left_and_right_are_the_patients_own(turned: Case) -> None:
    figure = draw_overview(turned.spine, turned.measurements, turned.ct)
    side, front = (side_words(axes) for axes in figure.axes)
    assert (side["left"], side["right"]) == ("Anterior", "Posterior")
    assert (front["left"], front["right"]) == ("Right", "Left")
    assert side["top"] == front["top"] == "Superior"


def test_each_name_stands_on_its_own_body(turned: Case) -> None:
    figure = draw_overview(turned.spine, turned.measurements, turned.ct)
    for axes in figure.axes:
        low, high = axes.get_ylim()
        heights = [
            low + text_at(axes, f"level-{name}")[1] * (high - low) for name in ("T12", "L1", "L2")
        ]
        assert heights == pytest.approx([PITCH, 0.0, -PITCH], abs=0.5)


def test_a_fracture_is_marked_in_words_with_all_possible_grades(case: Case) -> None:
    texts = every_text(draw_overview(case.spine, case.measurements))
    assert texts.count("fracture, grade 2 or 3") == 2


def test_a_vertebra_that_may_be_fractured_is_marked_too(case: Case) -> None:
    doubtful = Genant(
        grade=Grade.NORMAL,
        shape=Shape.NONE,
        possible=(Grade.NORMAL, Grade.MILD),
        reason="19 % lost",
    )
    row = replace(case.measurements["T12"], genant=doubtful)
    texts = every_text(draw_overview(case.spine, replace(case.measurements, vertebrae=(row,))))
    assert texts.count("grade 0 or 1") == 2


def test_a_cropped_vertebra_is_said_to_be_cut(case: Case) -> None:
    cut = replace(case.spine["T12"], cropped=True, body=None, reason="cropped")
    spine = replace(case.spine, vertebrae=(cut, *case.spine.vertebrae[1:]))
    assert "cut by the scan" in every_text(draw_overview(spine, case.measurements))


def moved_aside(vertebra: Vertebra, left_mm: float) -> Vertebra:
    """Return the vertebra pushed to the patient's left, with its voxels."""
    assert vertebra.frame is not None
    assert vertebra.parts is not None
    push = left_mm * vertebra.frame.left
    affine = vertebra.parts.affine.copy()
    affine[:3, 3] += push
    frame = replace(vertebra.frame, origin_mm=vertebra.frame.origin_mm + push)
    return replace(vertebra, frame=frame, parts=Volume(vertebra.parts.voxels, affine))


def test_the_views_follow_a_crooked_spine(turned: Case) -> None:
    pushed = moved_aside(turned.spine["L1"], 30.0)  # farther than a body is wide to one side
    spine = replace(turned.spine, vertebrae=(turned.spine["T12"], pushed, turned.spine["L2"]))
    side = draw_overview(spine, turned.measurements).axes[0]
    (low, high), (bottom, top) = side.get_xlim(), side.get_ylim()
    grey = np.asarray(side.images[0].get_array())
    for name in ("T12", "L1", "L2"):
        x, y = text_at(side, f"level-{name}")
        shade = grey[int(y * grey.shape[0]), int(x * grey.shape[1])]
        assert shade == pytest.approx(PART_GREY[Part.BODY]), f"{name} is not on its body"
    assert high - low > 60
    assert top - bottom > 2 * PITCH


def test_the_frame_of_the_spine_turns_with_it(rebuild: Callable[..., Case]) -> None:
    turn = rotation([0.3, 1.0, 0.2], 35.0)
    straight, oblique = spine_frame(rebuild().spine), spine_frame(rebuild(turn).spine)
    assert oblique.axes == pytest.approx(straight.axes @ turn.T, abs=1e-9)


def test_one_vertebra_alone_can_be_drawn(case: Case) -> None:
    alone = replace(case.spine, vertebrae=(case.spine["L1"],))
    assert "L1" in every_text(draw_overview(alone, case.measurements))


def test_a_spine_that_was_not_located_has_no_overview(case: Case) -> None:
    lost = replace(
        case.spine[Level.L1], frame=None, parts=None, body=None, reason="too few slices"
    )
    with pytest.raises(NotFoundError, match="no vertebra located"):
        draw_overview(replace(case.spine, vertebrae=(lost,)), case.measurements)
