"""The record on one page: each answer that it holds, in the patient's words."""

from dataclasses import Field, dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from markupsafe import Markup

from kyphoplan.case import Answer, Level, Patient
from kyphoplan.report.booklet.catalogue import Catalogue

LEFT_OUT = ("medicines", "identity")  # a table of its own; not for a page that is handed about


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row of the page: what belongs together.

    Attributes
    ----------
    answers : each question with its answer.
    denied : the questions that were answered with no.
    """

    title: str
    answers: tuple[tuple[Markup, str], ...]
    denied: tuple[Markup, ...]


def history(patient: Patient | None, words: Catalogue) -> list[Group]:
    """Return the answers that the record holds, in its order; what is unknown is left out."""
    if patient is None:
        return []
    parts: list[tuple[str, Any]] = [("", patient)]
    parts += [(f.name, value) for f in fields(patient) if is_dataclass(value := _of(patient, f))]
    groups = (_group(name, part, words) for name, part in parts if name not in LEFT_OUT)
    return [group for group in groups if group.answers or group.denied]


def _of(record: Any, item: Field[Any]) -> Any:
    return getattr(record, item.name)


def _group(name: str, part: Any, words: Catalogue) -> Group:
    prefix = f"record.{name}." if name else "record."
    answers, denied = [], []
    for item in fields(part):
        value = _of(part, item)
        if is_dataclass(value) or item.name in LEFT_OUT:
            continue
        question = words.say(f"{prefix}{item.name}")
        if value is Answer.NO:
            denied.append(question)
        elif shown(value, words):
            answers.append((question, shown(value, words)))
    return Group(title=words.text(f"{prefix}title"), answers=tuple(answers), denied=tuple(denied))


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
