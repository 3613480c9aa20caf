"""The patient's own pages: what the rules found, what is missing, questions, history."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from markupsafe import Markup

from kyphoplan.case import Assessment, Level, Patient, Reason, Verdict
from kyphoplan.report.booklet.catalogue import Catalogue
from kyphoplan.report.booklet.told import Told

SPEAKING = (
    Verdict.EMERGENCY_REFER,
    Verdict.NOT_CANDIDATE,
    Verdict.DEFER,
    Verdict.MDT_REVIEW,
    Verdict.CONDITIONAL,
    Verdict.WARN,
)  # the verdicts of a finding that a patient should hear about
GAPS_SHOWN = 12  # [1] as many missing answers are named as fit on half a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the history: the question, and the answer in the record."""

    group: str
    fact: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question for the specialist, and why this patient should ask it."""

    text: Markup
    because: Markup


def against(assessment: Assessment | None, words: Catalogue) -> list[Markup]:
    """Return what speaks against it or must be looked at, the worst first, each once."""
    if assessment is None:
        return []
    found = [f for f in assessment.all_findings if f.verdict in SPEAKING]
    found.sort(key=lambda f: -f.rank)
    return list(dict.fromkeys(_rule(f.rule, words) for f in found))


def _rule(rule: str, words: Catalogue) -> Markup:
    """Return a rule in the patient's words."""
    return words.say(f"rules.{rule}")


def reasons(items: tuple[Reason, ...], words: Catalogue) -> list[Markup]:
    """Return reasons in the patient's words, each once."""
    return list(dict.fromkeys(_rule(item.rule, words) for item in items))


def gaps(assessment: Assessment | None, words: Catalogue) -> tuple[list[Markup], int]:
    """Return the missing answers that matter most, and how many more there are."""
    missing = assessment.missing if assessment is not None else ()
    named = list(dict.fromkeys(_answer_name(name, words) for name in missing))
    return named[:GAPS_SHOWN], max(len(named) - GAPS_SHOWN, 0)


def _answer_name(name: str, words: Catalogue) -> Markup:
    return words.say(f"record.{name}")


def questions(
    assessment: Assessment | None, words: Catalogue
) -> tuple[list[Asking], list[Asking]]:
    """Return the questions that come from this patient's facts, and those of everybody."""
    if assessment is None:
        texts = (words.say(f"questions.text.{key}") for key in words.find("questions.text"))
        return [], [Asking(text=text, because=Markup()) for text in texts]
    own: list[Asking] = []
    everybody: list[Asking] = []
    for question in assessment.questions:
        text = words.say(f"questions.text.{question.key}")
        why = [_rule(rule, words) for rule in question.rules]
        asking = Asking(text=text, because=Markup(" ").join(dict.fromkeys(why)))
        (own if question.because else everybody).append(asking)
    return own, everybody


def history(patient: Patient | None, words: Catalogue) -> list[Line]:
    """Return each answer that the record holds, in its order; what is unknown is left out."""
    return [] if patient is None else list(_answers(patient, "", words))


def _answers(record: Any, prefix: str, words: Catalogue) -> Iterator[Line]:
    for item in fields(record):
        if item.name == "medicines" or (prefix, item.name) == ("", "identity"):
            continue
        value = getattr(record, item.name)
        key = f"{prefix}{item.name}"
        if is_dataclass(value):
            yield from _answers(value, f"{key}.", words)
            continue
        answer = shown(value, words)
        if answer:
            group = words.text(f"record.{prefix}title" if prefix else "record.title")
            yield Line(group=group, fact=words.text(f"record.{key}"), answer=answer)


def shown(value: Any, words: Catalogue) -> str:
    """Return an answer in words; empty if it is not known."""
    if value is None or value in ("unknown", ()):
        return ""
    if isinstance(value, date):
        return day(value, words)
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Enum) and not isinstance(value, Level):
        key = f"answers.{type(value).__name__}.{value.name}"
        return words.text(key) if words.has(key) else str(value.value)
    if isinstance(value, float):
        return words.number(value, 0 if value == round(value) else 1)
    return str(value)


def day(value: date, words: Catalogue) -> str:
    """Return a date as this language writes it."""
    month = words.find("format.months")[value.month - 1]
    return words.text("format.date", day=str(value.day), month=month, year=str(value.year))


def unknown_count(told: Told) -> int:
    """Return how many answers are missing."""
    return 0 if told.assessment is None else len(told.assessment.missing)
