"""One value of the patient record: the right kind, unit and range, or refused with the range."""

import math
import re
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any

from kyphoplan.case import Level
from kyphoplan.case.patient import Medicine
from kyphoplan.io.patient_fields import MEDICINES, Field

LONGEST = 200  # [letters] of a text
MOST = 60  # [items] of a list
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class RefusedValueError(ValueError):
    """A value that cannot be used; the text says what may be given."""


def value_of(field: Field, raw: Any) -> Any:
    """Return the value of a field from what the file holds.

    Raises
    ------
    RefusedValueError
        If it is of the wrong kind, unit or range.
    """
    if field.many:
        return _list(field, raw)
    return _single(field, raw)


def _single(field: Field, raw: Any) -> Any:
    if field.kind in {int, float}:
        return _number(field, raw)
    if not isinstance(raw, str):
        raise RefusedValueError(f"{raw!r} is not usable: give {field.accepts}")
    if issubclass(field.kind, Enum) and field.kind is not Level:
        return _word(field, raw)
    if field.kind is Level:
        return _level(raw)
    return _date(raw) if field.kind is date else _text(raw)


def _list(field: Field, raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list) or len(raw) > MOST:
        raise RefusedValueError(f"{_short(raw)} is not usable: give {field.accepts}")
    if field.kind is Medicine:
        return tuple(_medicine(item) for item in raw)
    items = tuple(_single(field, item) for item in raw)
    if len(set(items)) != len(items):
        raise RefusedValueError(f"{_short(raw)} names something twice: give each once")
    return items


def _number(field: Field, raw: Any) -> float | int:
    value, factor = raw, 1.0
    if isinstance(raw, Mapping):
        value, factor = _with_unit(field, raw)
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = " with a decimal point and without quotes" if isinstance(value, str) else ""
        raise RefusedValueError(f"{_short(value)} is no number: give {field.accepts}{hint}")
    try:
        number = float(value) * factor
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number) or not field.asked.low <= number <= field.asked.high:
        raise RefusedValueError(f"{_short(raw)} is out of range: give {field.accepts}")
    if field.kind is float:
        return number
    if number != int(number):
        raise RefusedValueError(f"{_short(raw)} is not whole: give {field.accepts}")
    return int(number)


def _with_unit(field: Field, raw: Mapping[str, Any]) -> tuple[Any, float]:
    if set(raw) != {"value", "unit"}:
        raise RefusedValueError(
            f'{_short(raw)} is not usable: give a number, or "value" and "unit"'
        )
    units = {field.asked.unit: 1.0, **field.asked.others}
    unit = raw["unit"]
    if not isinstance(unit, str) or unit not in units:
        known = ", ".join("no unit (a ratio or a score)" if u == "1" else u for u in units)
        raise RefusedValueError(
            f"unit {_short(unit)} does not fit: give {field.accepts}; units: {known}"
        )
    return raw["value"], units[unit]


def _word(field: Field, raw: str) -> Enum:
    for member in field.kind:  # type: ignore[attr-defined]
        if raw == member.value:
            return member
    raise RefusedValueError(f"{_short(raw)} is not one of the words: give {field.accepts}")


def _level(raw: str) -> Level:
    try:
        return Level.parse(raw)
    except ValueError as error:
        raise RefusedValueError(str(error)) from None


def _date(raw: str) -> date:
    if ISO_DAY.fullmatch(raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            pass
    raise RefusedValueError(f"{_short(raw)} is no day: give YYYY-MM-DD, such as 2026-01-31")


def _text(raw: str) -> str:
    if not raw.strip() or len(raw) > LONGEST or not raw.isprintable():
        raise RefusedValueError(
            f"{_short(raw)} is not usable: give a text of 1 to {LONGEST} letters"
        )
    return raw.strip()


def _medicine(raw: Any) -> Medicine:
    if not isinstance(raw, Mapping) or "name" not in raw:
        raise RefusedValueError(f"{_short(raw)} is no medicine: give {MEDICINES}")
    unknown = set(raw) - {"name", "dose", "reason", "last_taken"}
    if unknown:
        raise RefusedValueError(
            f"{sorted(unknown)[0]!r} is no field of a medicine: give {MEDICINES}"
        )
    texts = {}
    for name in ("name", "dose", "reason"):
        if name in raw:
            if not isinstance(raw[name], str):
                raise RefusedValueError(f"{name} {_short(raw[name])} is no text: give {MEDICINES}")
            texts[name] = _text(raw[name])
    taken = raw.get("last_taken")
    if taken is not None and not isinstance(taken, str):
        raise RefusedValueError(f"last_taken {_short(taken)} is no day: give YYYY-MM-DD")
    return Medicine(**texts, last_taken=None if taken is None else _date(taken))


def _short(raw: Any) -> str:
    words = repr(raw)
    return words if len(words) <= 60 else f"{words[:57]}..."  # noqa: PLR2004 [letters]
