"""The fracture seen from the side: points, lines and words where they belong."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from kyphoplan.case import Kyphosis, Level, Measure
from kyphoplan.errors import NotFoundError
from kyphoplan.report import draw_fracture
from kyphoplan.report.sagittal import (
    expected_curves,
    kyphosis_around,
    mid_sagittal,
    neighbours,
)

from .conftest import DEPTH, HEIGHT, Case
from .drawn import drawn, every_text, side_words


def test_the_six_points_are_drawn_on_the_endplates(turned: Case) -> None:
    figure = draw_fracture(turned.spine, turned.measurements, Level.L1, turned.ct)
    for share, lost in ((0.15, 10.0), (0.5, 6.0), (0.85, 2.0)):
        name = {0.15: "anterior", 0.5: "middle", 0.85: "posterior"}[share]
        depth = (share - 0.5) * DEPTH
        ends = [[depth, HEIGHT / 2 - lost], [depth, -HEIGHT / 2]]
        assert drawn(figure, f"points-{name}") == pytest.approx(np.array(ends), abs=1e-6)


def test_anterior_is_on_the_left_and_posterior_on_the_right(turned: Case) -> None:
    figure = draw_fracture(turned.spine, turned.measurements, Level.L1, turned.ct)
    assert side_words(figure.axes[0]) == {
        "left": "Anterior",
        "right": "Posterior",
        "top": "Superior",
        "bottom": "Inferior",
    }


def test_the_picture_shows_the_bone_where_the_points_are(turned: Case) -> None:
    figure = draw_fracture(turned.spine, turned.measurements, Level.L1, turned.ct)
    image = figure.axes[0].images[0]
    grey, (low, high, bottom, top) = np.asarray(image.get_array()), image.get_extent()

    def shade(u: float, v: float) -> float:
        row = int((v - bottom) / (top - bottom) * grey.shape[0])
        column = int((u - low) / (high - low) * grey.shape[1])
        return float(grey[row - 4 : row + 5, column - 4 : column + 5].mean())

    body, disc = shade(0.0, -5.0), shade(0.0, -HEIGHT / 2 - 4.0)
    before, lamina = shade(-DEPTH / 2 - 6.0, 0.0), shade(DEPTH / 2 + 21.0, 0.0)
    assert lamina > body > disc
    assert body > before
    assert disc == pytest.approx(before, abs=0.02)


def test_numbers_stand_on_the_picture_with_their_intervals(case: Case) -> None:
    figure = draw_fracture(case.spine, case.measurements, Level.L1, case.ct)
    texts = every_text(figure)
    for expected in (
        "16.0 mm\n15.2-16.8",
        "wedge 5.0°",
        "Cobb T12-L2\n11.0° (10.4 to 11.6)",
        "Cobb T12-L1",
        "L1",
        "T12",
        "L2",
        "20 mm",
    ):
        assert expected in texts
    assert any("not for diagnosis" in text for text in texts)
    assert any("possible: 2 or 3" in text for text in texts)


def test_the_scale_bar_is_as_long_as_it_says(case: Case) -> None:
    bar = drawn(draw_fracture(case.spine, case.measurements, Level.L1), "scale-bar")
    assert bar is not None
    assert bar[1] - bar[0] == pytest.approx([20.0, 0.0])


def test_it_is_drawn_without_a_ct(case: Case) -> None:
    figure = draw_fracture(case.spine, case.measurements, Level.L1)
    assert len(np.unique(np.asarray(figure.axes[0].images[0].get_array()))) >= 3


def test_the_expected_outline_has_the_expected_heights(turned: Case) -> None:
    vertebra, row = turned.spine["L1"], turned.measurements["L1"]
    assert vertebra.frame is not None
    assert vertebra.body is not None
    curves = expected_curves(vertebra.frame, vertebra.body, row)
    assert curves is not None
    top, bottom = (vertebra.frame.to_local(curve) for curve in curves)
    for share in (0.15, 0.5, 0.85):
        depth = (share - 0.5) * DEPTH
        height = np.interp(depth, *top[:, 1:].T) - np.interp(depth, *bottom[:, 1:].T)
        assert height == pytest.approx(HEIGHT, abs=0.02)
    assert np.ptp(top[:, 1]) == pytest.approx(DEPTH)


def test_without_an_expected_height_there_is_no_expected_outline(case: Case) -> None:
    unknown = Measure.unknown("mm", "no intact neighbour")
    row = replace(case.measurements["L1"], expected_middle_height=unknown)
    measurements = replace(case.measurements, vertebrae=(row,))
    figure = draw_fracture(case.spine, measurements, Level.L1)
    assert drawn(figure, "expected") is None


def test_figures_that_are_missing_are_said_to_be_missing(case: Case) -> None:
    unknown = Measure.unknown("mm", "cropped")
    row = replace(case.measurements["L1"], anterior_height=unknown)
    figure = draw_fracture(case.spine, replace(case.measurements, vertebrae=(row,)), Level.L1)
    assert any("not measured" in text for text in every_text(figure))
    assert drawn(figure, "points-anterior") is not None


def test_a_vertebra_without_a_body_has_no_picture(case: Case) -> None:
    lost = replace(case.spine["L1"], body=None, reason="cropped: cut by the field of view")
    spine = replace(case.spine, vertebrae=(lost,))
    with pytest.raises(NotFoundError, match="L1: body not located"):
        draw_fracture(spine, case.measurements, Level.L1)


def test_neighbours_are_the_next_levels_only(case: Case) -> None:
    assert [v.level for v in neighbours(case.spine, Level.T12)] == [Level.T12, Level.L1]
    gap = replace(case.spine, vertebrae=(case.spine["T12"], case.spine["L2"]))
    assert [v.level for v in neighbours(gap, Level.L2)] == [Level.L2]


def test_the_angles_shown_span_the_level_and_its_neighbours_only(case: Case) -> None:
    far = Kyphosis(upper=Level.T11, lower=Level.L1, cobb=Measure.unknown("deg", "far"))
    measurements = replace(case.measurements, kyphosis=(far, *case.measurements.kyphosis))
    near = (Level.T12, Level.L1, Level.L2)
    spans = [(k.upper, k.lower) for k in kyphosis_around(measurements, Level.L1, near)]
    assert spans == [(Level.T12, Level.L1), (Level.L1, Level.L2), (Level.T12, Level.L2)]


def test_the_widest_measured_angle_is_drawn(case: Case) -> None:
    unknown = Kyphosis(upper=Level.T12, lower=Level.L2, cobb=Measure.unknown("deg", "cropped"))
    measurements = replace(case.measurements, kyphosis=(*case.measurements.kyphosis[:1], unknown))
    texts = every_text(draw_fracture(case.spine, measurements, Level.L1))
    assert "Cobb T12-L1\n9.0° (8.5 to 9.5)" in texts


def test_a_picture_leaves_no_global_state(case: Case) -> None:
    plane = mid_sagittal(case.spine["L1"].frame)  # type: ignore[arg-type]
    assert plane.right @ plane.up == pytest.approx(0.0)
    assert isinstance(draw_fracture(case.spine, case.measurements, Level.T12), Figure)
