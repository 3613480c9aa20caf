"""The rehearsal on the surgeon's page: in words, as ranges, with sides, never as a promise."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Confidence, Level, Measure, Side
from kyphoplan.case.filling import LEAKS
from kyphoplan.case.rehearsal import Figures, LevelRehearsal, Moment, Rehearsal, Rehearsed, Slices
from kyphoplan.report.rehearsal import draw_level, draw_slices
from kyphoplan.report.rehearsal_json import rehearsal_to_json
from kyphoplan.report.rehearsal_page import rehearsal_fragment
from kyphoplan.report.rehearsal_words import GROUPS, line
from kyphoplan.simulation.simulating import PLACES
from kyphoplan.simulation.uncertainty import NOT_ESTIMATED, UNITS, measured

from ..simulation.clouds import LOW, with_hole

HOSTILE = '<script>document.title="hacked"</script>'
NAMED = {name for words in GROUPS.values() for name in words}


def shot(left: bool) -> Slices:
    """A block of bone, 8 x 6 x 5 voxels, with cement on one side."""
    blocks = [np.full((8, 6, 5), 200.0), np.zeros((8, 6, 5)), np.zeros((8, 6, 5))]
    blocks[2][slice(5, 7) if left else slice(1, 3)] = 1.0
    cuts = [tuple(b.take(2, axis=axis).astype(np.float32) for axis in range(3)) for b in blocks]
    return Slices(title="cement", density=cuts[0], balloon=cuts[1], cement=cuts[2])


def rehearsed() -> LevelRehearsal:
    from kyphoplan.simulation.filling import fill  # noqa: PLC0415

    runs = [dict.fromkeys(UNITS, 0.1 + 0.1 * n) | {"posterior_wall_breach": 0.0} for n in range(8)]
    share = Measure(
        value=0.25, low=0.1, high=0.5, unit="1", confidence=Confidence.LOW, reason="2 of 8 draws"
    )
    blind = Measure.unknown("1", f"gaps of the shell: {HOSTILE}")
    none = Figures(
        anterior_mm=0.0, middle_mm=0.0, posterior_mm=0.0, wedge_deg=0.0, segment_deg=0.0,
        lift_mm=0.0, largest_lift_mm=0.0,
    )  # fmt: skip
    moment = Moment(
        volume_ml={Side.LEFT: 1.0}, pressure_bar={Side.LEFT: 12.0}, figures=none,
        posterior_strain=0.0, breach=False, unbalanced=0.0, work_mj=0.0, stored_mj=0.0,
        dissipated_mj=0.0, grid_mj=0.0,
    )  # fmt: skip
    filling = fill(with_hole(LEAKS[0], cement=LOW, step_ml=0.1))
    return LevelRehearsal(
        level=Level.L1, outcome=Rehearsed.DONE, reason=HOSTILE, moments=(moment,),
        figures=measured(runs), as_planned={}, cement={},
        leaks={"segmental vein (Yeom S)": share, "disc (Yeom C)": blind},
        portions=filling.portions, slices=(shot(True), shot(False)), void=(), cloud=(),
        draws=8, assumptions={"calibration": HOSTILE},
    )  # fmt: skip


@pytest.fixture(scope="module")
def level() -> LevelRehearsal:
    return rehearsed()


@pytest.fixture(scope="module")
def page(level: LevelRehearsal) -> str:
    whole = Rehearsal(levels=(level,), notices=(), edge_mm=1.0, seed=3)
    return rehearsal_fragment(whole, list(draw_level(level)))


def test_every_figure_has_its_words() -> None:
    assert {*UNITS, *PLACES} <= NAMED


def test_the_page_tells_ranges_and_probabilities_and_nothing_for_certain(page: str) -> None:
    words = " ".join(page.split())
    for word in ("95&nbsp;% of 8 draws", "Probability that CT shows cement", "no all-clear"):
        assert word in words
    assert "25 %" in words
    assert "10 to 50" in words
    assert "cannot tell" in words
    assert " will " not in words.replace("what the balloon will", "")
    assert HOSTILE not in page
    for name in NAMED - {"stiffness_before"}:
        assert name not in page


def test_a_single_run_is_an_example_and_no_estimate(level: LevelRehearsal) -> None:
    once = replace(
        level,
        draws=0,
        figures=measured([{"void_volume": 2.0}]),
        as_planned={"void_volume": 2.0},
        leaks=dict.fromkeys(level.leaks, Measure.unknown("1", NOT_ESTIMATED)),
    )
    alone = Rehearsal(levels=(once,), notices=(), edge_mm=1.0, seed=3)
    page = " ".join(rehearsal_fragment(alone, list(draw_level(once))).split())
    for told in ("an example, no estimate", "once 2.00 ml", "not estimated", "no probability"):
        assert told in page
    assert "Probability that CT" not in page
    (row,) = rehearsal_to_json(alone)["levels"]
    assert row["figures"]["void_volume"]["value"] is None
    assert row["as_planned"] == {"void_volume": 2.0}


@pytest.mark.parametrize(
    ("unit", "value", "told"),
    [
        ("mm", 1.26, "1.3 mm"), ("deg", -0.04, "0.0°"), ("N", 3412.0, "3400 N"),
        ("1", 1.5, "1.50"), ("bar", 22.41, "22.41 bar"), ("%", 15.2, "15 %"),
    ],
)  # fmt: skip
def test_a_figure_has_the_digits_that_it_bears(unit: str, value: float, told: str) -> None:
    measure = Measure(
        value=value,
        low=value - 1,
        high=value + 1,
        unit=unit,
        confidence=Confidence.LOW,
        reason="made up",
    )
    assert line("", measure).value == told


@pytest.mark.parametrize("left", [True, False])
def test_cement_on_the_left_is_on_the_right_of_the_picture(left: bool) -> None:
    figure = draw_slices("L1", shot(left))
    for axes in figure.axes[1:]:  # coronal and axial
        (image,) = axes.images
        pixels = np.asarray(image.get_array())
        pink = pixels[..., 0] - pixels[..., 1]
        columns = pink.mean(axis=0)
        middle = float((columns * np.arange(columns.size)).sum() / columns.sum())
        assert (middle > 0.5 * (columns.size - 1)) is left
        words = {text.get_gid(): text.get_text() for text in axes.texts}
        assert words["side-right"] == "L Left"
        assert words["side-left"] == "R Right"


def test_the_ledger_of_the_file_sums_to_what_was_injected(level: LevelRehearsal) -> None:
    whole = Rehearsal(levels=(level,), notices=(), edge_mm=1.0, seed=3)
    told = rehearsal_to_json(whole)["levels"][0]["cement_ledger"]
    before = 0.0
    for portion in told:
        assert sum(portion["went_ml"].values()) == pytest.approx(
            portion["injected_ml"] - before, abs=1e-5
        )
        before = portion["injected_ml"]
    assert before == pytest.approx(2.2)
