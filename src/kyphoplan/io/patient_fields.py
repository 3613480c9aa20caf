"""The fields of the patient record, read from the noun: names, questions, units, ranges, words."""

import difflib
import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any

from kyphoplan.case import Level, Patient
from kyphoplan.case.patient import Asked, Medicine

SCHEMA = "kyphoplan.patient/1"
DATE_FORM = "YYYY-MM-DD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    Attributes
    ----------
    kind : `float`, `int`, `str`, `date`, an enum, `Level` or `Medicine`.
    many : whether it is a list.
    default : what it is when nobody has said.
    """

    name: str
    asked: Asked
    kind: type
    many: bool
    default: Any

    @property
    def accepts(self) -> str:
        """What may be given, in words.

        Examples
        --------
        >>> next(part for part in PATIENT.parts if part.name == "asa").accepts
        'a whole number from 1 to 6'
        """
        if self.many:
            return {Level: 'a list of levels such as ["L1"]', Medicine: MEDICINES}.get(
                self.kind, "a list of texts"
            )
        if issubclass(self.kind, Enum):
            return " or ".join(str(member.value) for member in self.kind)
        if self.kind is date:
            return f"a day, {DATE_FORM}"
        if self.kind in {int, float}:
            return self._range
        return "a text"

    @property
    def _range(self) -> str:
        whole = "a whole number" if self.kind is int else "a number"
        unit = "" if self.asked.unit == "1" else f" {self.asked.unit}"
        words = f"{whole} from {self.asked.low:g} to {self.asked.high:g}{unit}"
        others = ", ".join(self.asked.others)
        return (
            f'{words}; other units as {{"value": ..., "unit": ...}}: {others}' if others else words
        )

    @property
    def explained(self) -> str:
        """Return question and what may be given, for the template."""
        return f"{self.asked.question} -- {self.accepts}"


MEDICINES = 'a list such as [{"name": "Eliquis", "dose": "5 mg"}]; [] for none'


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of fields, which may hold further groups."""

    name: str
    noun: type
    parts: "tuple[Field | Group, ...]"

    def nearest(self, name: str) -> str:
        """Return the fields that may have been meant."""
        names = [part.name for part in self.parts]
        near = difflib.get_close_matches(name, names, n=1)
        return f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"


def _group(name: str, noun: type) -> Group:
    hints = typing.get_type_hints(noun, include_extras=True)
    parts: list[Field | Group] = []
    for slot in fields(noun):
        hint = hints[slot.name]
        if is_dataclass(hint):
            parts.append(_group(slot.name, typing.cast("type", hint)))
            continue
        assert typing.get_origin(hint) is Annotated, f"{noun.__name__}.{slot.name}: not asked for"
        inner, asked = typing.get_args(hint)[:2]
        kind, many = _kind(inner)
        assert slot.default is not MISSING
        parts.append(
            Field(name=slot.name, asked=asked, kind=kind, many=many, default=slot.default)
        )
    return Group(name=name, noun=noun, parts=tuple(parts))


def _kind(hint: Any) -> tuple[type, bool]:
    """Return the type behind ``X | None`` and ``tuple[X, ...]``."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


PATIENT = _group("", Patient)


def paths(group: Group = PATIENT, path: str = "") -> dict[str, Field]:
    """Return every field by its path, such as ``laboratory.inr``.

    Examples
    --------
    >>> paths()["laboratory.inr"].asked.high
    10
    """
    found: dict[str, Field] = {}
    for part in group.parts:
        if isinstance(part, Group):
            found |= paths(part, f"{path}{part.name}.")
        else:
            found[path + part.name] = part
    return found
