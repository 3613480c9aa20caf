"""Candidacy: all items in the order of the decision, and the worst of what they say."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kyphoplan.assessment import (
    canal,
    contraindications,
    correctable,
    indication,
    leak,
    neoplasm,
    neurology,
    notes,
)
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.item import Item
from kyphoplan.case import Finding, Step, Verdict

PATIENT_ITEMS: tuple[Item, ...] = (
    *neurology.OF_PATIENT,
    *contraindications.OF_PATIENT_ABSOLUTE,
    *correctable.OF_PATIENT,
    *indication.OF_PATIENT,
    *contraindications.OF_PATIENT_RELATIVE,
    *neoplasm.OF_PATIENT,
    *leak.OF_PATIENT,
    *notes.OF_PATIENT,
)
LEVEL_ITEMS: tuple[Item, ...] = (
    *neurology.OF_LEVEL,
    *indication.OF_LEVEL,
    *canal.OF_LEVEL,
    *contraindications.OF_LEVEL,
    *neoplasm.OF_LEVEL,
    *leak.OF_LEVEL,
)
_ORDER = {step: place for place, step in enumerate(Step)}


def judge(items: Sequence[Item], facts: Facts) -> tuple[Finding, ...]:
    """Ask all items, and return what they say in the order of the decision."""
    findings = [one.judge(facts) for one in items]
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.step]))


def of_patient(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings of the whole patient."""
    return judge(PATIENT_ITEMS, replace(facts, level=None, figures=None))


def of_level(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings of one level."""
    return judge(LEVEL_ITEMS, facts)


def worst(findings: Iterable[Finding]) -> tuple[Verdict, Verdict, tuple[str, ...]]:
    """Return the worst verdict, the worst that missing answers leave possible, and who decided.

    Nothing is averaged. Without any objection it is CANDIDATE.
    """
    counted = [f for f in findings if f.at_worst.rank > Verdict.CANDIDATE.rank]
    if not counted:
        return Verdict.CANDIDATE, Verdict.CANDIDATE, ()
    counted.sort(key=lambda f: -f.rank)
    verdict = counted[0].verdict
    at_worst = max((f.at_worst for f in counted), key=lambda worst: worst.rank)
    if verdict is Verdict.INSUFFICIENT_DATA:  # all that lack an answer, the worst first
        deciding = [f for f in counted if f.verdict is verdict]
    else:
        deciding = [f for f in counted if f.rank == counted[0].rank]
    return verdict, at_worst, tuple(dict.fromkeys(f.rule for f in deciding))
