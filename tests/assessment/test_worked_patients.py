"""Ten worked patients come out as the evidence says, rule by rule."""

import json
from pathlib import Path

import pytest

from kyphoplan.assessment import assess
from kyphoplan.case import Assessment, Verdict
from kyphoplan.io.patient_record import read_patient
from kyphoplan.report.measurements_reading import read_measurements

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "patients"
EXPECTED = json.loads((FOLDER / "expected" / "verdicts.json").read_text(encoding="utf-8"))
SILENT = {Verdict.PASS, Verdict.INSUFFICIENT_DATA}


def assessed(name: str) -> Assessment:
    figures = read_measurements(FOLDER / "figures" / f"{EXPECTED[name]['figures']}.json")
    return assess(figures, read_patient(FOLDER / f"{name}.json"))


def test_there_are_ten_and_each_has_its_expectation() -> None:
    records = {p.stem for p in FOLDER.glob("[0-9]*.json")}
    assert records == set(EXPECTED)
    assert len(records) == 10


@pytest.mark.parametrize("name", EXPECTED)
def test_a_worked_patient_comes_out_as_the_evidence_says(name: str) -> None:
    expected, found = EXPECTED[name], assessed(name)
    assert found.verdict == expected["verdict"]
    assert sorted(found.decided_by) == expected["decided_by"]
    noted = {"PW-10", "PW-11"}  # beside every measured canal
    fired = {f.rule for f in found.all_findings if f.verdict not in SILENT} - noted
    assert sorted(fired - {"NEO-2"}) == expected["fires"]
    assert found.anesthesia.proposal == expected["anesthesia"]
    assert found.stay.setting == expected["stay"]


def test_the_page_of_the_examples_says_the_same() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, expected in EXPECTED.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| {name[:2]} "))
        assert f"| {expected['verdict']} |" in row


def test_the_emergency_names_decompression_and_the_burst_is_not_for_a_plan() -> None:
    found = assessed("05_retropulsion_bladder")
    assert "laminotomy" in found.decompression
    assert found.levels[0].decompression


def test_the_missing_mri_is_asked_for() -> None:
    found = assessed("08_no_mri")
    assert "mri.edema_at" in found.missing
    assert any(q.key == "mri" and q.because for q in found.questions)
