"""Names of medicines: generic, brand and misspelt ones are recognised, all others are asked
for."""

import pytest

from kyphoplan.assessment import assess
from kyphoplan.assessment.formulary import BRANDS, DRUGS
from kyphoplan.assessment.holds import HOLDS, advise
from kyphoplan.assessment.medicines import UNRECOGNISED, Kind, recognise
from kyphoplan.case import Answer, Medicine, Verdict

from .patients import FIT, figures
from .patients import changed as with_answers

GENERIC = ["apixaban", "Warfarin", "CLOPIDOGREL", "aspirin 100 mg", "dabigatran etexilate 150 mg"]
BRAND = {
    "Eliquis": "apixaban",
    "Xarelto 20 mg daily": "rivaroxaban",
    "Pradaxa": "dabigatran",
    "Coumadin": "warfarin",
    "Marcumar": "phenprocoumon",
    "Plavix 75": "clopidogrel",
    "Brilinta": "ticagrelor",
    "Lovenox 40 mg sc": "enoxaparin",
    "Baby Aspirin": "aspirin",
    "Aleve": "naproxen",
    "Medrol": "methylprednisolone",
}
MISSPELT = {
    "eliquiss": "apixaban",
    "apixiban": "apixaban",
    "xarleto": "rivaroxaban",
    "rivoroxaban": "rivaroxaban",
    "warferin": "warfarin",
    "coumadine": "warfarin",
    "clopidogril": "clopidogrel",
    "clopidrogel": "clopidogrel",
    "plavex": "clopidogrel",
    "enoxiparin": "enoxaparin",
    "ibuprophen": "ibuprofen",
    "asprin": "aspirin",
    "predinsone": "prednisone",
}
STRANGE = [
    "blue pill", "heart tablet", "xyzumab", "", "5 mg", "apixaban or warfarin",
    "clonidine and apixaban", "ass b", "blood thinner", "Mexarel", "plax",
]  # fmt: skip


@pytest.mark.parametrize("name", GENERIC)
def test_a_generic_name_is_recognised(name: str) -> None:
    found = recognise(name)
    assert found.generic == name.casefold().split()[0]
    assert found.how == "generic name"


@pytest.mark.parametrize("name", BRAND)
def test_a_brand_is_recognised(name: str) -> None:
    found = recognise(name)
    assert found.generic == BRAND[name]
    assert found.how == "brand name"


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_name_is_recognised_and_to_be_checked(name: str) -> None:
    found = recognise(name)
    assert found.generic == MISSPELT[name], found
    assert found.how.startswith("misspelling, taken for")
    assert found.how.endswith("check")


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_not_recognised_is_said_and_never_ignored(name: str) -> None:
    assert recognise(name).how == UNRECOGNISED
    assert advise(Medicine(name=name)).recognised == "unrecognised: check"
    patient = with_answers(FIT, medicines=(Medicine(name=name or "?"),))
    assessed = assess(figures(), patient)
    assert assessed.verdict is Verdict.INSUFFICIENT_DATA
    assert "AC-U" in assessed.decided_by


def test_a_strange_medicine_may_be_one_against_clots() -> None:
    patient = with_answers(FIT, medicines=(Medicine(name="blue pill"),), heart__valve=Answer.YES)
    found = {f.rule: f for f in assess(figures(), patient).findings}
    assert found["AC-5"].verdict is Verdict.MDT_REVIEW  # whatever the pill is
    assert found["AC-H"].verdict is Verdict.INSUFFICIENT_DATA


def test_every_brand_and_every_hold_is_of_a_known_medicine() -> None:
    assert set(BRANDS.values()) <= set(DRUGS)
    assert set(HOLDS) <= set(DRUGS)
    assert not set(BRANDS) & set(DRUGS)
    assert {Kind(kind) for kind in DRUGS.values()} <= set(Kind)


def test_every_medicine_against_clots_of_the_table_has_its_times_or_says_none() -> None:
    against = {"direct oral anticoagulant", "antiplatelet"}
    assert {name for name, kind in DRUGS.items() if kind in against} <= set(HOLDS)


def test_a_name_one_letter_from_two_medicines_is_asked_for() -> None:
    near = [name for name in DRUGS if name in {"prednisone", "prednisolone"}]
    assert len(near) == 2
    assert recognise("hydroxodone").generic in {"", "hydrocodone"}


@pytest.mark.parametrize("name", ["apixaban", "Plavix", "Coumadin"])
def test_times_are_shown_side_by_side_and_are_no_order(name: str) -> None:
    advice = advise(Medicine(name=name))
    assert len(advice.holds) == 2
    assert all(hold.provenance == "M" for hold in advice.holds)
    assert "Do not stop it without your prescriber" in advice.text
    assert "prescriber" in advice.who


def test_a_harmless_medicine_has_no_times() -> None:
    advice = advise(Medicine(name="Alendronate 70 mg weekly"))
    assert advice.holds == ()
    assert advice.kind == ""


@pytest.mark.parametrize("name", ["vitamin k", "vitamin e", "folic acit"])
def test_a_name_of_two_words_is_not_guessed(name: str) -> None:
    assert recognise(name).how == UNRECOGNISED


@pytest.mark.parametrize("name", ["Marcumar", "Fragmin", "acenocoumarol", "tinzaparin"])
def test_no_times_are_promised_where_none_are_shown(name: str) -> None:
    advice = advise(Medicine(name=name))
    assert advice.holds == ()
    assert "are shown" not in advice.text
    assert "Do not stop it without your prescriber" in advice.text
