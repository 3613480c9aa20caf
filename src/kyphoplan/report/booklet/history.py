"""The record on one page: each answer that it holds, in the patient's words."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from markupsafe import Markup

from kyphoplan.case import Level, Patient
from kyphoplan.report.booklet.catalogue import Catalogue

LEFT_OUT = ("medicines", "identity")  # a table of its own; not for a page that is handed about


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the history: its group, the question, and the answer in the record."""

    group: str
    fact: Markup
    answer: str


def history(patient: Patient | None, words: Catalogue) -> list[Line]:
    """Return each answer that the record holds, in its order; what is unknown is left out."""
    return [] if patient is None else list(_answers(patient, "", words))


def _answers(record: Any, prefix: str, words: Catalogue) -> Iterator[Line]:
    for item in fields(record):
        if not prefix and item.name in LEFT_OUT:
            continue
        value = getattr(record, item.name)
        key = f"{prefix}{item.name}"
        if is_dataclass(value):
            yield from _answers(value, f"{key}.", words)
            continue
        answer = shown(value, words)
        if answer:
            group = words.text(f"record.{prefix}title")
            yield Line(group=group, fact=words.say(f"record.{key}"), answer=answer)


def shown(value: Any, words: Catalogue) -> str:
    """Return an answer in words; empty if it is not known."""
    if value is None or value in ("unknown", ()):
        return ""
    if isinstance(value, date):
        return day(value, words)
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Enum) and not isinstance(value, Level):
        key = f"answers.{value.name}"
        return words.text(key) if words.has(key) else str(value.value)
    if isinstance(value, float):
        return words.number(value, 0 if value == round(value) else 1)
    return str(value)


def day(value: date, words: Catalogue) -> str:
    """Return a date as this language writes it."""
    month = words.find("format.months")[value.month - 1]
    return words.text("format.date", day=str(value.day), month=month, year=str(value.year))
