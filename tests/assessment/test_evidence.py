"""The evidence page is what the code does: every rule sourced, asked, able to speak, listed."""

import ast
import importlib.util
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from kyphoplan.assessment import assess, assessing, questions
from kyphoplan.assessment.anesthesia import ITEMS as ANESTHESIA
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.readiness import _FROM_FINDINGS
from kyphoplan.assessment.sources import SOURCES
from kyphoplan.assessment.stay import ITEMS as STAY
from kyphoplan.case import Answer, GapSite, Level, Measurements, Medicine, Patient, Verdict
from kyphoplan.case.findings import CorticalGap
from kyphoplan.case.terms import (
    Alignment,
    Cause,
    Independence,
    Involvement,
    Lesion,
    NeurologicalGrade,
    Pregnancy,
    Stent,
    Trend,
)

from .patients import DAY, FIT, NO, YES, changed, figures, measure, vertebra

ROOT = Path(__file__).resolve().parents[2]
PROVENANCES = {"S", "S2", "M", "M-", "C", "P"}


def _written() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "write_rules", ROOT / "docs" / "evidence" / "write_rules.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RULES = _written()
ITEMS = {rule: one for rule, (one, _) in RULES.items().items()}


def test_the_page_is_what_the_code_says() -> None:
    assert RULES.PAGE.read_text(encoding="utf-8") == RULES.page(), (
        "run python docs/evidence/write_rules.py"
    )


@pytest.mark.parametrize("rule", ITEMS)
def test_every_rule_has_a_source_a_provenance_and_a_limit(rule: str) -> None:
    one = ITEMS[rule]
    codes = set(one.provenance.split(","))
    assert codes
    assert codes <= PROVENANCES
    assert one.says
    assert one.limit
    assert all(key in SOURCES for key in one.cite)
    assert one.cite or not {"S", "S2", "C"} & codes, "a rule read in print names where"
    assert one.change or one.outcome in {Verdict.WARN, Verdict.INFO}


def test_every_rule_is_asked_and_no_name_is_used_twice() -> None:
    names = [one.rule for one in RULES.asked()]
    assert sorted(names) == sorted(ITEMS)


def test_every_rule_that_other_modules_name_exists() -> None:
    named = {*assessing.DECOMPRESSION, *assessing.LEAK, *_FROM_FINDINGS}
    named |= {rule for _, _, rules in (*questions.EVERYBODY, *questions.OWN) for rule in rules}
    assert named <= set(ITEMS)


def test_every_rule_of_the_evidence_base_is_encoded_or_said_not_to_be(shared: Path) -> None:
    data = json.loads((shared / "evidence" / "clinical_rules.json").read_text(encoding="utf-8"))
    wanted = {rule["id"] for rule in data["rules"]}
    elsewhere = {rule for rules in RULES.ELSEWHERE for rule in rules.split()}
    assert wanted - set(ITEMS) == elsewhere & wanted
    assert not elsewhere & set(ITEMS)


def test_the_provenance_of_a_rule_is_that_of_the_evidence_base(shared: Path) -> None:
    data = json.loads((shared / "evidence" / "clinical_rules.json").read_text(encoding="utf-8"))
    better = {"S": 0, "S2": 1, "C": 1, "M": 2, "M-": 3, "P": 3}
    for rule in data["rules"]:
        if rule["id"] in ITEMS:
            ours = min(better[code] for code in ITEMS[rule["id"]].provenance.split(","))
            theirs = min(better[code] for code in rule["provenance"])
            assert ours >= theirs or rule["id"] in READ_TOGETHER, rule["id"]


# CI-R5 is the same limit as IN-09 (S); CI-R2 takes its limits from PW-10 (S).
READ_TOGETHER = {"CI-R5", "CI-R2"}


def test_every_named_number_says_its_unit_and_how_it_is_known() -> None:
    found = {name for names, *_ in RULES.named_numbers() for name in names.split(", ")}
    for module in RULES.modules():
        for name in _numbers(module):
            assert name in found, f"{module.__name__}.{name}: add # [unit] rule, source (code)"
    for name, _, unit, source, _ in RULES.named_numbers():
        assert unit, name
        assert RULES.CODE.search(source), f"{name}: no (S), (S2), (M), (C) or (P)"


def _numbers(module: ModuleType) -> Iterator[str]:
    """Yield the names of the numbers that stand at the top of a module."""
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name in names:
                assert isinstance(name, ast.Name)
                value = vars(module).get(name.id)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield name.id


def test_every_number_of_a_score_has_a_source() -> None:
    for one, _ in RULES.constants():
        assert one.cite
        assert all(key in SOURCES for key in one.cite)
        assert one.provenance in PROVENANCES


def gap(site: GapSite) -> CorticalGap:
    return CorticalGap(site=site, centre_mm=np.zeros(3), area=measure(9.0, "mm2"))


BROKEN = vertebra(cortical_gaps=(gap(GapSite.SUPERIOR),), cleft_volume=measure(3.0, "ml"))
NARROW = vertebra(retropulsion=measure(6.0, "mm"), canal_compromise=measure(70.0, "%"))
TUMOUR = changed(
    FIT,
    injury__cause=Cause.METASTASIS,
    tumour__escc=2,
    tumour__many=YES,
    tumour__lesion=Lesion.LYTIC,
    tumour__alignment=Alignment.SUBLUXATION,
    tumour__posterolateral=Involvement.BILATERAL,
    pain__crisis=YES,
    function__rdq=5,
)


def at(level: Level, patient: Patient = FIT) -> Patient:
    return changed(patient, pain__at_levels=(level,), mri__edema_at=(level,))


# Patients and scans in which the rules speak, beside the single changes below.
CASES: list[tuple[Patient, Measurements]] = [
    (FIT, figures()),
    (FIT, figures(NARROW)),
    (FIT, figures(vertebra(retropulsion=measure(4.0, "mm")))),
    (FIT, figures(BROKEN)),
    (FIT, figures(vertebra(height_loss=measure(85.0, "%")))),
    (FIT, figures(vertebra(
        left_pedicle_width=measure(4.0, "mm"), right_pedicle_width=measure(4.0, "mm")))),
    (at(Level.T8), figures(vertebra(
        Level.T8, canal_compromise=measure(30.0, "%"), retropulsion=measure(4.0, "mm")))),
    (at(Level.T12), figures(vertebra(Level.T12, canal_compromise=measure(45.0, "%")))),
    (at(Level.L3), figures(vertebra(Level.L3, canal_compromise=measure(60.0, "%")))),
    (at(Level.T3), figures(vertebra(Level.T3))),
    (at(Level.C5), figures(vertebra(Level.C5))),
    (TUMOUR, figures(vertebra(height_loss=measure(60.0, "%")))),
    (changed(TUMOUR, tumour__escc=0), figures()),
    (changed(FIT, neurology__grade=NeurologicalGrade.N3, neurology__bladder=YES),
     figures(NARROW)),
    (changed(FIT, mri__cord_compressed=YES, mri__cleft_at=(Level.L1,)), figures(NARROW)),
    (changed(FIT, pain__at_levels=(), mri__edema_at=()), figures()),
    (replace(FIT, levels_planned=(Level.L2,)), figures(vertebra(), vertebra(
        Level.L2, genant=replace(vertebra().genant, grade=vertebra().genant.grade.__class__(0))))),
    (changed(FIT, pain__trend=Trend.SAME, function__rdq=5), figures(cobb=2.0)),
    (changed(FIT, allergies__contrast=YES), figures()),
    (changed(FIT, allergies__contrast=YES, allergies__other_medium=YES), figures()),
    (changed(FIT, circumstances__inpatient=YES), figures()),
    (changed(FIT, medicines=(Medicine(name="Plavix"),), heart__stent=Stent.DRUG_ELUTING,
             heart__stent_on=DAY), figures()),
    (changed(FIT, heart__infarction=YES, heart__infarction_on=DAY), figures()),
    (changed(FIT, heart__stroke=YES, heart__stroke_on=DAY), figures()),
    (changed(FIT, injury__cause=Cause.UNKNOWN, conditions__cancer=YES), figures()),
    (changed(FIT, care__optimal=NO), figures()),
    (replace(FIT, levels_planned=(Level.T10, Level.T11, Level.T12, Level.L1)), figures()),
    (changed(FIT, age_years=85.0, function__independence=Independence.PARTIAL,
             circumstances__lives_alone=YES), figures()),
    (changed(FIT, pain__onset=DAY.replace(year=2025)), figures()),
    (changed(FIT, mri__on=DAY.replace(year=2025)), figures()),
    (changed(FIT, medicines=(Medicine(name="warfarin"),), laboratory__inr_on=None), figures()),
    (changed(FIT, medicines=(Medicine(name="blue pill"),)), figures()),
]  # fmt: skip
SINGLE = {
    "neurology__myelopathy": YES, "neurology__worsening": YES, "neurology__claudication": YES,
    "neurology__grade": NeurologicalGrade.N1, "infection__systemic": YES, "infection__local": YES,
    "infection__fever": YES, "laboratory__uncorrectable": YES, "allergies__pmma": YES,
    "pregnancy": Pregnancy.YES, "pain__from_fracture": NO, "injury__unstable": YES,
    "pain__nrs": 0.0, "age_years": 17.0, "pain__radicular": YES, "injury__posterior_fracture": YES,
    "lungs__severe": YES, "injury__high_energy": YES, "laboratory__inr": 2.0,
    "laboratory__platelets_e9_per_l": 49.0, "heart__unstable": YES,
    "circumstances__site_ready": NO,
    "pain__trend": Trend.BETTER, "care__failed": YES, "care__bone_plan": NO,
    "laboratory__hemoglobin_g_per_dl": 7.0, "laboratory__albumin_g_per_dl": 2.0,
    "laboratory__creatinine_mg_per_dl": 1.3, "asa": 4, "lungs__copd": YES,
    "conditions__liver": YES, "lungs__sleep_apnea": YES, "conditions__dementia": YES,
}  # fmt: skip
# Rules whose yes is itself a lack of an answer.
ALWAYS_OPEN = {"AC-6", "AC-U"}


def spoken() -> set[str]:
    cases = CASES + [(changed(FIT, **{path: value}), figures()) for path, value in SINGLE.items()]
    cases.append((changed(FIT, pregnancy=Pregnancy.POSSIBLE), figures()))
    cases.append(
        (changed(FIT, medicines=(Medicine(name="Eliquis"),), heart__valve=YES), figures())
    )
    heard = set()
    for patient, scan in cases:
        assessed = assess(scan, patient)
        for finding in assessed.all_findings:
            open_one = finding.rule in ALWAYS_OPEN and finding.missing
            if open_one or finding.verdict not in {Verdict.PASS, Verdict.INSUFFICIENT_DATA}:
                heard.add(finding.rule)
        facts = Facts(
            patient=patient,
            measurements=scan,
            levels=tuple(level.level for level in assessed.levels),
        )
        heard |= {
            one.rule for one in (*ANESTHESIA, *STAY) if one.applies(facts).answer is Answer.YES
        }
    return heard


def test_every_rule_can_speak() -> None:
    assert set(ITEMS) - spoken() == set()


def test_the_page_lists_every_rule_source_and_medicine() -> None:
    text = RULES.PAGE.read_text(encoding="utf-8")
    for rule in ITEMS:
        assert re.search(rf"^\| {re.escape(rule)} \|", text, re.MULTILINE), rule
    for key in SOURCES:
        assert f"| {key} |" in text


def test_every_source_is_used() -> None:
    text = "\n".join(inspect.getsource(m) for m in RULES.modules() if "sources" not in m.__name__)
    assert [key for key in SOURCES if key not in text] == []
