"""Assess a patient: figures and record in, all that may be said out."""

from dataclasses import replace

from kyphoplan.assessment import candidacy
from kyphoplan.assessment.anesthesia import propose
from kyphoplan.assessment.benefits import benefits
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.ofscore import of_types
from kyphoplan.assessment.questions import questions
from kyphoplan.assessment.readiness import readiness, scores_of_level
from kyphoplan.assessment.risks import risks
from kyphoplan.assessment.stay import minutes, stay
from kyphoplan.case import (
    Assessment,
    Finding,
    Level,
    LevelAssessment,
    Measurements,
    Patient,
    Verdict,
)

# Rules of the canal and the cord: if one of them holds, decompression is to be considered.
DECOMPRESSION = (
    "CI-R1", "RF-1", "RF-2", "RF-3", "RF-4", "RF-6", "RF-7", "RF-8", "PW-1", "PW-2", "PW-3",
    "PW-6", "PW-7", "PW-8", "PW-9", "CI-R2", "KU-2", "NEO-3",
)  # fmt: skip
LEAK = ("LK-1", "LK-2", "LK-5", "LK-6", "LK-8", "KU-4", "PW-5", "PW-10", "CI-R2")
HOLDS = (Verdict.EMERGENCY_REFER, Verdict.MDT_REVIEW)


def assess(measurements: Measurements | None, patient: Patient | None = None) -> Assessment:
    """Say what may be said of a patient; without a record, what is not known.

    Parameters
    ----------
    measurements : the figures of the scan; None if there are none.
    patient : the record; None if there is none, which leaves every answer unknown.

    Examples
    --------
    >>> assess(None).verdict
    <Verdict.INSUFFICIENT_DATA: 'INSUFFICIENT_DATA'>
    """
    record = Patient() if patient is None else patient
    asked = levels_asked(measurements, record)
    facts = Facts(patient=record, measurements=measurements, levels=asked)
    of_patient = candidacy.of_patient(facts)
    levels = tuple(_level(facts, level, of_patient) for level in asked)
    everything = of_patient + tuple(f for one in levels for f in one.findings)
    verdict, at_worst, decided_by = candidacy.worst(everything)
    if not asked:
        verdict, decided_by = _no_level(verdict, decided_by)
    ready = readiness(facts, of_patient)
    scores = tuple(s for one in asked for s in scores_of_level(_at(facts, one)))
    return Assessment(
        assessed_on=record.assessed_on,
        record=patient is not None,
        verdict=verdict,
        at_worst=at_worst,
        text=_overall(verdict, levels, measurements, asked),
        decided_by=decided_by,
        decompression=_decompression(everything),
        decompression_rules=_rules(_asking(of_patient)),
        levels=levels,
        findings=of_patient,
        readiness=replace(ready, scores=ready.scores + scores),
        anesthesia=propose(facts),
        stay=stay(facts),
        minutes=minutes(facts),
        risks=risks(record),
        beside=_beside(everything),
        benefits=benefits(),
        questions=questions(everything, ready.checks),
    )


def levels_asked(measurements: Measurements | None, patient: Patient) -> tuple[Level, ...]:
    """Return the levels that are asked about, from head to tail.

    Those of the record; else the fractured ones that hurt; else every level that is broken, hurts
    or shows edema, so that a missing answer never leaves a level out.
    """
    if patient.levels_planned is not None:
        return tuple(sorted(set(patient.levels_planned)))
    broken = {row.level for row in measurements.fractures} if measurements else set()
    tender = set(patient.pain.at_levels or ())
    edema = set(patient.mri.edema_at or ())
    return tuple(sorted(broken & tender or broken | tender | edema))


def _at(facts: Facts, level: Level) -> Facts:
    rows = facts.measurements.vertebrae if facts.measurements else ()
    figures = next((row for row in rows if row.level is level), None)
    return replace(facts, level=level, figures=figures)


def _beside(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what the images show or cannot show of leaks; what the record lacks is no finding."""
    return tuple(
        f
        for f in findings
        if f.rule in LEAK
        and f.verdict is not Verdict.PASS
        and all(name.startswith("image:") for name in f.missing)
    )


def _level(facts: Facts, level: Level, of_patient: tuple[Finding, ...]) -> LevelAssessment:
    here = _at(facts, level)
    findings = candidacy.of_level(here)
    verdict, at_worst, decided_by = candidacy.worst(of_patient + findings)
    types, why = of_types(here)
    return LevelAssessment(
        level=level,
        verdict=verdict,
        at_worst=at_worst,
        text=_MEANING[verdict],
        decided_by=decided_by,
        of_types=types,
        of_reason=why,
        decompression=_rules(_asking(of_patient + findings)),
        findings=findings,
    )


def _no_level(verdict: Verdict, decided_by: tuple[str, ...]) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict where no level is asked about: never a good one."""
    if verdict.rank > Verdict.INSUFFICIENT_DATA.rank:
        return verdict, decided_by
    return Verdict.INSUFFICIENT_DATA, decided_by


def _overall(
    verdict: Verdict,
    levels: tuple[LevelAssessment, ...],
    measurements: Measurements | None,
    asked: tuple[Level, ...],
) -> str:
    if not asked:
        return (
            f"{_MEANING[Verdict.INSUFFICIENT_DATA]} No level is broken, hurts or is asked about."
        )
    parts = [_MEANING[verdict]]
    if len(levels) > 1:
        parts.append("; ".join(f"{one.level}: {one.verdict}" for one in levels) + ".")
    broken = measurements.fractures if measurements else ()
    others = [str(row.level) for row in broken if row.level not in asked]
    if others:
        parts.append(f"Also broken, but not asked about or not tender: {', '.join(others)}.")
    return " ".join(parts)


def _asking(findings: tuple[Finding, ...]) -> list[Finding]:
    """Return the findings that ask for a surgeon's word on decompression."""
    return [f for f in findings if f.rule in DECOMPRESSION and f.verdict in HOLDS]


def _rules(findings: list[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.rule for finding in findings))


def _decompression(findings: tuple[Finding, ...]) -> str:
    """Return why decompression is to be considered; empty if nothing asks for it."""
    asking = _asking(findings)
    if not asking:
        return ""
    why = dict.fromkeys(f"{f.level or 'patient'} {f.rule}: {f.fact}" for f in asking)
    return (
        "A spine surgeon decides whether cord or nerves must be freed by laminectomy (the arch "
        "behind the canal is taken off) or laminotomy (a part of it). Cement does not free a "
        f"nerve; it may follow or go with that operation. Reasons: {'; '.join(why)}."
    )


_MEANING = {
    Verdict.EMERGENCY_REFER: "Emergency: refer to a spine surgeon today.",
    Verdict.NOT_CANDIDATE: "Not a candidate for balloon kyphoplasty as things are.",
    Verdict.DEFER: "Not yet: something must be put right first.",
    Verdict.MDT_REVIEW: "A named specialist must look and agree first.",
    Verdict.CONDITIONAL: "Possible under the conditions that are named.",
    Verdict.CANDIDATE: "Nothing that is known speaks against balloon kyphoplasty.",
    Verdict.INSUFFICIENT_DATA: "Cannot be said: answers are missing.",
}
