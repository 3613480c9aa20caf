"""Scores against the vectors of the evidence, and against wrong copies that are in circulation."""

import math
from itertools import product

import pytest

from kyphoplan.assessment.cardiac import GUPTA_ASA, GUPTA_SPINE, gupta_mica_pct, gupta_of, rcri_of
from kyphoplan.assessment.frailty import clearance_ml_per_min, mfi5_of
from kyphoplan.assessment.ofscore import of_says, of_score
from kyphoplan.assessment.sins import PAIN, sins, sins_says
from kyphoplan.assessment.trauma import NERVES, ao_score, tlics, tlics_says
from kyphoplan.case import Answer, Patient
from kyphoplan.case.terms import Diabetes, Independence, Sex, Stent

from .patients import FIT, NO, YES, changed, without

INDEPENDENT, PARTIAL = Independence.INDEPENDENT, Independence.PARTIAL
GUPTA_VECTORS = [
    (65, INDEPENDENT, 2, False, -7.030, 0.088),
    (73, INDEPENDENT, 3, False, -5.500, 0.407),
    (78, PARTIAL, 3, False, -4.750, 0.858),
    (80, PARTIAL, 3, True, -4.100, 1.630),
    (85, PARTIAL, 4, True, -3.030, 4.609),
]


@pytest.mark.parametrize(("age", "function", "asa", "high", "x", "percent"), GUPTA_VECTORS)
def test_gupta_gives_the_vectors_of_the_evidence(
    age: int, function: Independence, asa: int, high: bool, x: float, percent: float
) -> None:
    found = gupta_mica_pct(age, function, asa, high)
    assert round(found, 3) == percent
    assert math.log(found / (100.0 - found)) == pytest.approx(x, abs=5e-4)


@pytest.mark.parametrize(("age", "function", "asa", "high", "x", "percent"), GUPTA_VECTORS)
def test_gupta_is_none_of_the_wrong_copies(
    age: int, function: Independence, asa: int, high: bool, x: float, percent: float
) -> None:
    found = gupta_mica_pct(age, function, asa, high)
    root = math.sqrt(1.0 + math.exp(x))
    spine = 100.0 / (1.0 + math.exp(-(x - GUPTA_SPINE.value + 0.10)))
    assert abs(found - root) > 0.05 * percent
    assert abs(found - spine) > 0.05 * percent
    assert GUPTA_SPINE.value == 0.21


def test_gupta_without_creatinine_is_unknown_with_its_range() -> None:
    score = gupta_of(without(FIT, "laboratory__creatinine_mg_per_dl"))
    assert score.value is None
    assert score.missing == ("laboratory.creatinine_mg_per_dl",)
    assert 0.0 < score.low < score.high < 1.0


@pytest.mark.parametrize("path", ["age_years", "asa", "function__independence"])
def test_gupta_without_age_class_or_function_is_unknown(path: str) -> None:
    score = gupta_of(without(FIT, path))
    assert (score.value, score.low, score.high) == (None, 0.0, 100.0)


def test_gupta_has_a_number_for_each_class_up_to_five() -> None:
    assert sorted(GUPTA_ASA) == [f"ASA {n}" for n in range(1, 6)]
    assert gupta_of(changed(FIT, asa=6)).value is None


def test_the_printed_of_vectors() -> None:
    first = of_score(
        3, weak_bone=YES, progressing=YES, pain=7.0, nerve_damage=NO, gets_up=NO, burdens=0
    )
    second = of_score(
        2, weak_bone=NO, progressing=NO, pain=3.0, nerve_damage=NO, gets_up=YES, burdens=1
    )
    assert (first, second) == (10, 0)
    assert (of_says(first), of_says(second)) == ("operation", "without operation")


def test_an_unknown_of_item_counts_nothing_and_health_takes_two_points_at_most() -> None:
    assert [of_score(kind) for kind in range(1, 6)] == [2, 4, 6, 8, 10]
    assert [of_score(3, burdens=n) for n in range(4)] == [6, 5, 4, 4]
    assert of_score(3, pain=5.0) == 7
    assert of_score(3, pain=4.9) == 5
    assert of_score(3, nerve_damage=YES) == 8


def test_rcri_counts_each_item_once_and_the_procedure_never() -> None:
    items = {
        "heart__ischemic": YES,
        "heart__failure": YES,
        "heart__stroke": YES,
        "conditions__diabetes": Diabetes.INSULIN,
        "laboratory__creatinine_mg_per_dl": 2.1,
    }
    assert rcri_of(FIT).value == 0
    for path, value in items.items():
        assert rcri_of(changed(FIT, **{path: value})).value == 1
    assert rcri_of(changed(FIT, **items)).value == 5
    assert rcri_of(changed(FIT, laboratory__creatinine_mg_per_dl=2.0)).value == 0
    assert rcri_of(changed(FIT, conditions__diabetes=Diabetes.ORAL)).value == 0


def test_rcri_gives_no_rate_of_another_operation() -> None:
    text = rcri_of(FIT).text
    assert "no rate" in text
    assert "3.9" not in text


def test_what_rcri_does_not_know_opens_a_range() -> None:
    score = rcri_of(Patient())
    assert (score.value, score.low, score.high) == (None, 0, 5)
    assert len(score.missing) == 5


def test_mfi5_counts_five_items() -> None:
    frail = changed(
        FIT,
        heart__failure_recent=YES,
        conditions__diabetes=Diabetes.ORAL,
        lungs__copd=YES,
        function__independence=PARTIAL,
        heart__hypertension=YES,
    )
    assert (mfi5_of(FIT).value, mfi5_of(frail).value) == (0, 5)
    assert mfi5_of(frail).text == "severely frail"


def test_clearance_after_cockcroft_and_gault() -> None:
    man = changed(FIT, sex=Sex.MALE, age_years=60.0, weight_kg=72.0)
    man = changed(man, laboratory__creatinine_mg_per_dl=1.0)
    assert clearance_ml_per_min(man) == pytest.approx(80.0)
    assert clearance_ml_per_min(changed(man, sex=Sex.FEMALE)) == pytest.approx(68.0)
    assert clearance_ml_per_min(changed(man, sex=Sex.OTHER)) is None


@pytest.mark.parametrize(
    ("morphology", "nerves", "ligaments", "points"),
    [
        ("compression", "intact", "intact", 1),
        ("burst", "intact", "intact", 2),
        ("burst", "root", "intact", 4),
        ("burst", "cauda equina", "injured", 8),
        ("translation", "complete cord", "injured", 8),
        ("distraction", "incomplete cord", "injured", 10),
    ],
)
def test_tlics_adds_its_printed_table(
    morphology: str, nerves: str, ligaments: str, points: int
) -> None:
    assert tlics(morphology, nerves, ligaments) == points


def test_tlics_scores_a_root_two_and_not_one_as_the_wrong_copy() -> None:
    assert NERVES["root"].value == 2
    assert [tlics_says(n) for n in range(1, 7)] == [
        *["without operation"] * 3, "either", *["operation"] * 2,
    ]  # fmt: skip


def test_the_ao_injury_score() -> None:
    kinds = ("A0", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "C")
    assert [ao_score(kind, "N0") for kind in kinds] == [0, 1, 2, 3, 5, 5, 6, 7, 8]
    assert [ao_score("A0", grade) for grade in ("N0", "N1", "N2", "N3", "N4", "NX")] == [
        0, 1, 2, 4, 4, 3,
    ]  # fmt: skip


def test_sins_spans_0_to_18_and_pain_is_not_the_wrong_copy() -> None:
    assert sins("junctional", "mechanical", "lytic", "subluxation", "over half", "bilateral") == 18
    assert sins("rigid", "none", "blastic", "normal", "none", "none") == 0
    assert [PAIN[word].value for word in ("mechanical", "other", "none")] == [3, 1, 0]
    assert [sins_says(n) for n in (0, 6, 7, 12, 13, 18)] == [
        "stable", "stable", "potentially unstable", "potentially unstable", "unstable", "unstable",
    ]  # fmt: skip


def test_every_answer_of_the_of_score_moves_it_the_way_it_says() -> None:
    for weak, grows in product(Answer, repeat=2):
        assert of_score(2, weak_bone=weak, progressing=grows) <= of_score(
            2, weak_bone=YES, progressing=YES
        )
    assert FIT.heart.stent is Stent.NONE
