"""The patient record: strict units, ranges, dates and words; nothing is guessed."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Answer, Level, Medicine, Patient
from kyphoplan.errors import CaseError
from kyphoplan.io import write_json
from kyphoplan.io.casefile import from_json, to_json
from kyphoplan.io.patient_fields import paths
from kyphoplan.io.patient_record import (
    SCHEMA,
    filled_template,
    parse_patient,
    patient_to_record,
    problems_of,
    read_patient,
)
from kyphoplan.io.patient_schema import patient_schema

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples" / "patients").glob("[0-9]*.json"))
NUMBERS = {path: field for path, field in paths().items() if field.kind in {int, float}}


def record(path: str, value: Any, **others: Any) -> dict[str, Any]:
    """A record with one field."""
    made: dict[str, Any] = {"schema": SCHEMA, **others}
    *groups, last = path.split(".")
    inside = made
    for group in groups:
        inside = inside.setdefault(group, {})
    inside[last] = value
    return made


def bad_values() -> list[tuple[str, Any]]:
    """More than 200 values that no record may hold, each with its field."""
    bad: list[tuple[str, Any]] = []
    for path, field in NUMBERS.items():
        low, high = field.asked.low, field.asked.high
        bad += [(path, low - 1), (path, high + 1), (path, str(high)), (path, True)]
        bad += [(path, {"value": low, "unit": "furlong"}), (path, [low])]
    bad += [("laboratory.inr", value) for value in ("1,8", "13 s", 24.5, -1, 0)]
    bad += [("laboratory.inr", {"value": 13.0, "unit": "s"})]
    bad += [("laboratory.hemoglobin_g_per_dl", value) for value in (121, "12,1", "12.1 g/dL")]
    bad += [("laboratory.hemoglobin_g_per_dl", {"value": 12.1, "unit": "g/L"})]
    bad += [("laboratory.creatinine_mg_per_dl", value) for value in (97, 88.4, "0,9")]
    bad += [("laboratory.creatinine_mg_per_dl", {"value": 0.9, "unit": "umol/L"})]
    bad += [("laboratory.platelets_e9_per_l", value) for value in (250000, "240", 0)]
    bad += [("laboratory.albumin_g_per_dl", value) for value in (40, "4,0")]
    bad += [("weight_kg", value) for value in (900, 3, "62 kg", {"value": 900, "unit": "lb"})]
    bad += [("height_cm", value) for value in (1.6, 63, "1,60", {"value": 160, "unit": "m"})]
    bad += [("age_years", value) for value in (250, -3, "74", 1951)]
    bad += [("asa", value) for value in (0, 7, 2.5, "III", "2")]
    bad += [("pain.nrs", value) for value in (11, -1, 70, "7/10")]
    days = ("02.03.2026", "2026-02-30", "03/02/2026", "2026-3-2", "yesterday", "", 20260302,
            "2026-13-01", "2026-00-10", "26-03-02", "2026-03-02T10:00")  # fmt: skip
    for path in ("assessed_on", "identity.birth_date", "pain.onset", "heart.infarction_on"):
        bad += [(path, day) for day in days]
    words = ("Yes", "y", "no ", "maybe", "ja", 1, 0, True, False, [], {})
    for path in ("neurology.bladder", "infection.systemic", "circumstances.escort"):
        bad += [(path, word) for word in words]
    bad += [("sex", "F"), ("sex", "woman"), ("injury.cause", "fall"), ("heart.stent", "yes")]
    bad += [("neurology.grade", "N5"), ("neurology.grade", 2), ("pregnancy", "maybe")]
    bad += [("pain.at_levels", value) for value in ("L1", ["L7"], ["Q1"], ["L1", "l1"], [301])]
    bad += [("medicines", value) for value in ("aspirin", ["aspirin"], [{}], {"name": "aspirin"})]
    bad += [("medicines", [{"name": value}]) for value in (3, "", "x" * 300, "a\nb", None)]
    bad += [("medicines", [{"name": "aspirin", "since": "2020"}])]
    bad += [("medicines", [{"name": "aspirin", "last_taken": "today"}])]
    return bad


def test_there_are_more_than_200_bad_values() -> None:
    assert len(bad_values()) > 200


@pytest.mark.parametrize(("path", "value"), bad_values(), ids=lambda value: str(value)[:40])
def test_a_bad_value_is_refused_with_its_field_and_what_may_be_given(
    path: str, value: Any
) -> None:
    patient, problems = parse_patient(record(path, value))
    assert patient is None
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}: ")
    assert "give" in problems[0] or "levels" in problems[0] or "use names" in problems[0]
    if path in NUMBERS:
        field = NUMBERS[path]
        assert f"from {field.asked.low:g} to {field.asked.high:g}" in problems[0]
    assert len(problems[0].splitlines()) == 1


@pytest.mark.parametrize("path", NUMBERS)
def test_the_ends_of_each_range_are_accepted(path: str) -> None:
    for end in (NUMBERS[path].asked.low, NUMBERS[path].asked.high):
        patient, problems = parse_patient(record(path, end))
        assert patient is not None, problems


@pytest.mark.parametrize(
    ("path", "value", "unit", "expected"),
    [
        ("laboratory.hemoglobin_g_per_dl", 121.0, "g/L", 12.1),
        ("laboratory.creatinine_mg_per_dl", 176.8, "umol/L", 2.0),
        ("laboratory.platelets_e9_per_l", 240000.0, "1/uL", 240.0),
        ("laboratory.albumin_g_per_dl", 40.0, "g/L", 4.0),
        ("weight_kg", 200.0, "lb", 90.718474),
        ("height_cm", 1.6, "m", 160.0),
        ("height_cm", 63.0, "in", 160.02),
        ("laboratory.inr", 1.8, "1", 1.8),
    ],
)
def test_a_unit_that_is_named_is_converted(
    path: str, value: float, unit: str, expected: float
) -> None:
    patient, problems = parse_patient(record(path, {"value": value, "unit": unit}))
    assert patient is not None, problems
    group, _, name = path.rpartition(".")
    noun = getattr(patient, group) if group else patient
    assert getattr(noun, name) == pytest.approx(expected)


def test_what_is_not_said_is_unknown() -> None:
    patient, _ = parse_patient({"schema": SCHEMA})
    assert patient == Patient()
    assert patient is not None
    assert patient.neurology.bladder is Answer.UNKNOWN
    assert patient.medicines is None


def test_an_empty_list_of_medicines_means_none() -> None:
    patient, _ = parse_patient(record("medicines", []))
    assert patient is not None
    assert patient.medicines == ()


def test_null_and_unknown_are_the_same_as_nothing() -> None:
    for value in (None, "unknown"):
        assert parse_patient(record("neurology.bladder", value))[0] == Patient()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (record("neurology.blader", "yes"), "did you mean bladder?"),
        (record("laboratory", 3), "give a group of fields"),
        ({"schema": "kyphoplan.patient/2"}, "give 'kyphoplan.patient/1'"),
        ({}, "give 'kyphoplan.patient/1'"),
        (record("pain.onset", "2026-02-01", assessed_on="2026-01-01"), "is after assessed_on"),
        (record("assessed_on", str(date.today() + timedelta(days=3))), "still to come"),
        (record("identity.birth_date", "1851-01-01"), "is before 1900-01-01"),
        (
            record("identity.birth_date", "1951-05-04", assessed_on="2026-03-02", age_years=60),
            "but born on",
        ),
        (
            record("heart", {"stroke_on": "1950-01-01"}, identity={"birth_date": "1951-05-04"},
                   assessed_on="2026-03-02"),
            "before the birth",
        ),
        (record("injury", {"of_type": 5, "unstable": "no"}), "mend one"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_in_one_line(data: dict[str, Any], words: str) -> None:
    patient, problems = parse_patient(data)
    assert patient is None
    assert any(words in problem for problem in problems)


def test_the_age_follows_from_the_date_of_birth() -> None:
    data = record("identity.birth_date", "1951-05-04", assessed_on="2026-03-02")
    patient, _ = parse_patient(data)
    assert patient is not None
    assert patient.age_years == 74.0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_record_survives_the_round_trip(path: Path) -> None:
    patient = read_patient(path)
    assert parse_patient(patient_to_record(patient)) == (patient, ())
    assert from_json(Patient, to_json(patient)) == patient
    assert parse_patient(filled_template(patient)) == (patient, ())


def test_the_template_asks_for_every_field_and_is_an_empty_record(tmp_path: Path) -> None:
    path = write_json(tmp_path / "new.json", filled_template())
    assert read_patient(path) == Patient()
    text = path.read_text(encoding="utf-8")
    for field in paths().values():
        assert json.dumps(f"{field.asked.question}", ensure_ascii=False)[1:-1] in text
    assert '"// inr": "INR (a ratio, not seconds) -- a number from 0.5 to 10"' in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"[]", "is no patient record"),
        (b'{"schema": "kyphoplan.patient/1", "asa": 2, "asa": 3}', "stands twice"),
        (b'{"schema": "kyphoplan.patient/1", "asa": NaN}', "is no number"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100000, "is no JSON"),
        (b" " * (1 << 20) + b"{}", "is larger"),
    ],
)
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(CaseError, match=words):
        read_patient(path)
    assert words in problems_of(path)[0]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot be read"):
        read_patient(tmp_path / "nowhere.json")


def test_all_problems_of_a_record_are_told_at_once(tmp_path: Path) -> None:
    data = record("laboratory.inr", "1,8", asa=9, sex="F")
    path = write_json(tmp_path / "bad.json", data)
    assert len(problems_of(path)) == 3
    with pytest.raises(CaseError, match="and 2 more"):
        read_patient(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(path=st.sampled_from(sorted(paths())), value=JSON)
def test_any_json_in_any_field_is_read_or_refused_and_never_an_error(
    path: str, value: Any
) -> None:
    patient, problems = parse_patient(record(path, value))
    assert (patient is None) == bool(problems)


def test_the_published_schema_is_that_of_the_nouns() -> None:
    published = ROOT / "docs" / "reference" / "patient.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == patient_schema()


def test_a_level_and_a_medicine_are_read() -> None:
    data = record("medicines", [{"name": "Eliquis", "dose": "5 mg", "last_taken": "2026-03-01"}])
    patient, _ = parse_patient(data | {"pain": {"at_levels": ["l1", "T12"]}})
    assert patient is not None
    assert patient.pain.at_levels == (Level.L1, Level.T12)
    assert patient.medicines == (
        Medicine(name="Eliquis", dose="5 mg", last_taken=date(2026, 3, 1)),
    )


@pytest.mark.parametrize("value", [int("9" * 400), {"value": int("9" * 400), "unit": "g/L"}])
def test_a_number_of_hundreds_of_digits_is_refused(value: Any) -> None:
    _, problems = parse_patient(record("laboratory.hemoglobin_g_per_dl", value))
    assert len(problems) == 1
    assert "out of range" in problems[0]


def test_a_day_to_come_is_refused_without_the_day_of_the_record_too() -> None:
    day = (date.today() + timedelta(days=2)).isoformat()
    _, problems = parse_patient(record("pain.onset", day))
    assert problems == (f"pain.onset: {day} is still to come: give a day up to today",)


def test_an_age_worked_out_keeps_the_range_of_an_age() -> None:
    born = record("identity.birth_date", "1900-01-02", assessed_on="2026-03-02")
    assert "up to 120" in parse_patient(born)[1][0]


def test_two_answers_on_the_same_pain_must_agree() -> None:
    """Without the low one the pain would suddenly be severe."""
    both = {"schema": SCHEMA, "pain": {"nrs": 2, "vas_mm": 80}}
    assert "mend one of them" in parse_patient(both)[1][0]
    assert parse_patient({"schema": SCHEMA, "pain": {"nrs": 7, "vas_mm": 72}})[1] == ()
