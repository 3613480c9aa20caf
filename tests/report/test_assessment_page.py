"""The assessment as page and section: all that matters is said, and nothing of a file is
markup."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kyphoplan.assessment import assess
from kyphoplan.case import Assessment, Medicine, Verdict
from kyphoplan.io.casefile import from_json, to_json
from kyphoplan.io.patient_record import read_patient
from kyphoplan.report.assessment_json import SCHEMA, assessment_to_json
from kyphoplan.report.assessment_page import WORDS, assessment_page, assessment_section
from kyphoplan.report.measurements_reading import read_measurements

from ..assessment.patients import FIT, figures
from .browsing import faults

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "patients"


def emergency() -> Assessment:
    scan = read_measurements(FOLDER / "figures" / "burst_L1.json")
    return assess(scan, read_patient(FOLDER / "05_retropulsion_bladder.json"))


def test_the_json_follows_the_contract_and_survives_the_round_trip() -> None:
    assessed = emergency()
    data = json.loads(json.dumps(assessment_to_json(assessed), allow_nan=False))
    assert data["schema"] == SCHEMA == "kyphoplan.assessment/1"
    assert data["overall"]["verdict"] == "EMERGENCY_REFER"
    wanted = {
        "rule", "verdict", "text", "fact", "limit", "source", "provenance", "would_change",
    }  # fmt: skip
    for finding in [*data["findings"], *(f for one in data["levels"] for f in one["findings"])]:
        assert wanted <= set(finding)
    parts = {"levels", "readiness", "anesthesia", "stay", "minutes", "risks", "questions"}
    assert parts <= set(data)
    assert from_json(Assessment, to_json(assessed)) == assessed


def test_verdict_reasons_and_decompression_stand_on_the_page() -> None:
    page = assessment_page(emergency())
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for words in ("Emergency: refer today", "CI-R1", "RF-7", "laminectomy", "laminotomy",
                  "Research and teaching only", "Per 1,000", "No trial has compared"):  # fmt: skip
        assert words in text


def test_every_finding_that_speaks_stands_on_the_page_with_source_and_provenance() -> None:
    assessed = emergency()
    page = assessment_section(assessed)
    for finding in assessed.all_findings:
        assert f"<code>{finding.rule}</code>" in page
        if finding.verdict is not Verdict.PASS:
            assert WORDS[finding.verdict] in page


def test_each_risk_and_check_has_its_row() -> None:
    assessed = emergency()
    page = assessment_section(assessed)
    assert len(re.findall(r"<td class=\"box\">", page)) == len(assessed.readiness.checks)
    for risk in assessed.risks:
        assert risk.title in page


def test_what_a_record_says_cannot_be_markup() -> None:
    evil = replace(FIT, medicines=(Medicine(name="<script>alert(1)</script>"),))
    page = assessment_page(assess(figures(), evil))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_without_a_record_the_page_says_what_is_unknown() -> None:
    page = assessment_section(assess(figures()))
    assert "No patient record was given" in page
    assert "neurology bladder" in page
    assert "Ready for the procedure" not in page


def test_figures_read_back_are_the_figures() -> None:
    path = FOLDER / "figures" / "wedges_T11_L1_L3.json"
    scan = read_measurements(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    loss = data["vertebrae"][1]["height_loss_pct"]
    assert scan["L1"].height_loss.value == loss["value"]
    assert [str(row.level) for row in scan.fractures] == ["T11", "L1", "L3"]


@pytest.mark.slow
def test_axe_finds_no_fault_and_the_page_asks_no_network(
    browser: Browser, tmp_path: Path, root: Path
) -> None:
    file = tmp_path / "assessment.html"
    file.write_text(assessment_page(emergency()), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1100, "height": 900}, bypass_csp=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [page.url]
    assert faults(page, root) == []
