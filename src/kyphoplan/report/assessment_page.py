"""The assessment for the surgeon: a section of the plan's page, and a page of its own."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from kyphoplan import __version__
from kyphoplan.case import Assessment, Finding, LevelAssessment, Risk, Score, Status, Verdict
from kyphoplan.report.page import environment
from kyphoplan.report.wording import CANNOT_KNOW, INTENDED_USE, decimal

WORDS = {
    Verdict.EMERGENCY_REFER: "Emergency: refer today",
    Verdict.NOT_CANDIDATE: "Not a candidate",
    Verdict.DEFER: "Put right first",
    Verdict.MDT_REVIEW: "Specialist must agree",
    Verdict.CONDITIONAL: "Possible with conditions",
    Verdict.CANDIDATE: "Nothing against it known",
    Verdict.INSUFFICIENT_DATA: "Answers missing",
    Verdict.WARN: "Warning",
    Verdict.INFO: "Note",
    Verdict.PASS: "Does not apply",
}
TONE = {
    Verdict.EMERGENCY_REFER: "stop",
    Verdict.NOT_CANDIDATE: "stop",
    Verdict.DEFER: "stop",
    Verdict.MDT_REVIEW: "care",
    Verdict.CONDITIONAL: "care",
    Verdict.INSUFFICIENT_DATA: "open",
    Verdict.WARN: "care",
    Verdict.CANDIDATE: "good",
}
PROVENANCE = (
    ("S", "read in the source"),
    ("S2", "read in a secondary copy"),
    ("M", "from memory: to be checked; never decides"),
    ("C", "computed from numbers of the source"),
    ("P", "policy of this project, no evidence; never decides"),
)


WHOLE_FROM = 0.95  # [per 1,000] from here a rate is shown without decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The findings of one heading: those that say something, then how many others there are."""

    title: str
    speaking: tuple[Finding, ...]
    silent: tuple[Finding, ...]


def assessment_section(assessment: Assessment) -> str:
    """Return the section of the surgeon's page; everything that came from a file is escaped.

    Its long tables of rates and trials are folded: the plan stands below it.
    """
    template = environment().get_template("assessment_section.html")
    return template.render(_shown(assessment), folded=True)


def assessment_page(assessment: Assessment) -> str:
    """Return the assessment as a page of its own, one file that asks no network."""
    return (
        environment()
        .get_template("assessment.html")
        .render(_shown(assessment), cannot_know=CANNOT_KNOW, folded=False)
    )


def _shown(assessment: Assessment) -> dict[str, Any]:
    blocks = [_block("The patient", assessment.findings), *map(_level, assessment.levels)]
    if not assessment.record:  # what nobody could have answered is said in one line
        blocks = [_answered(block) for block in blocks]
    return {
        "assessment": assessment,
        "words": WORDS,
        "tone": TONE,
        "blocks": blocks,
        "risk_groups": [
            (name, list(rows)) for name, rows in groupby(assessment.risks, lambda r: r.group)
        ],
        "rate": rate,
        "score": score,
        "provenance": PROVENANCE,
        "status_mark": {Status.READY: "ok", Status.TO_DO: "", Status.ASK: "?", Status.STOP: "!"},
        "intended_use": INTENDED_USE,
        "made_by": f"kyphoplan {__version__}",
    }


def _answered(block: Block) -> Block:
    known = [f for f in block.speaking if f.verdict is not Verdict.INSUFFICIENT_DATA]
    return Block(title=block.title, speaking=tuple(known), silent=())


def _level(level: LevelAssessment) -> Block:
    return _block(str(level.level), level.findings)


def _block(title: str, findings: tuple[Finding, ...]) -> Block:
    """Sort findings, the worst first; a rule that does not apply stands at the end."""
    speaking = [f for f in findings if f.verdict is not Verdict.PASS]
    return Block(
        title=title,
        speaking=tuple(sorted(speaking, key=lambda f: -f.rank)),
        silent=tuple(f for f in findings if f.verdict is Verdict.PASS),
    )


def rate(risk: Risk) -> str:
    """Return a rate per 1,000 with its interval, in words.

    Examples
    --------
    >>> from kyphoplan.assessment.risks import risks
    >>> from kyphoplan.case import Patient
    >>> next(rate(risk) for risk in risks(Patient()) if risk.key == "heart_attack")
    '3 (between 2 and 6)'
    """
    value = _per_1000(risk.per_1000)
    if risk.low is None or risk.high is None:
        return f"{value} (no interval printed)"
    return f"{value} (between {_per_1000(risk.low)} and {_per_1000(risk.high)})"


def _per_1000(value: float) -> str:
    return decimal(value, 1 if 0.0 < value < WHOLE_FROM else 0)


def score(value: Score) -> str:
    """Return a score, or the range that missing answers leave.

    Examples
    --------
    >>> score(Score(rule="", name="", value=None, low=2, high=4, unit="points", text="",
    ...             source="", provenance=""))
    '2 to 4 points'
    """
    digits = 1 if value.unit == "%" else 0
    ends = [decimal(end, digits) for end in (value.low, value.high)]
    unit = f" {value.unit}" if value.unit != "1" else ""
    if value.value is not None:
        return ends[0] + unit
    if value.unit == "%" and (value.low, value.high) == (0.0, 100.0):
        return "unknown"
    return f"{ends[0]} to {ends[1]}{unit}"
