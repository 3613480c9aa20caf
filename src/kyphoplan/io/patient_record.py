"""The patient record: a JSON file, read strictly; what it does not say stays unknown.

Units stand in the names of the fields; another unit is given as ``{"value": 121, "unit": "g/L"}``.
Keys that begin with ``//`` are comments.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from kyphoplan.case import Level, Patient
from kyphoplan.errors import CaseError
from kyphoplan.io.patient_fields import PATIENT, SCHEMA, Field, Group, paths
from kyphoplan.io.patient_values import RefusedValueError, value_of

COMMENT = "//"
PATIENT_AGE = paths()["age_years"].asked
LARGEST_BYTES = 1 << 20  # [byte] a record is a page or two
EARLIEST = date(1900, 1, 1)
YEARS_APART = 1.01  # [years] age and date of birth may differ by this
POINTS_APART = 1.0  # [NRS] two answers on the same pain may differ by this


def read_patient(path: str | Path) -> Patient:
    """Read a patient record: our JSON, or a FHIR R4 Bundle.

    Raises
    ------
    CaseError
        If the file is no record, or a value has a wrong unit, range or word: field and range are
        named.
    """
    path = Path(path)
    data = _load(path)
    if "resourceType" in data:
        from kyphoplan.io.fhir import patient_of_bundle  # noqa: PLC0415 - an optional library

        return patient_of_bundle(data, str(path))
    patient, problems = parse_patient(data)
    if patient is None:
        more = f" (and {len(problems) - 1} more: see `kyphoplan patient check`)"
        raise CaseError(f"{path}: {problems[0]}{more if len(problems) > 1 else ''}")
    return patient


def problems_of(path: str | Path) -> tuple[str, ...]:
    """Return everything that is wrong with a record, one line each; none if it can be read."""
    try:
        data = _load(Path(path))
        if "resourceType" in data:
            read_patient(path)
            return ()
    except CaseError as error:
        return (str(error),)
    return tuple(f"{path}: {problem}" for problem in parse_patient(data)[1])


def parse_patient(data: Mapping[str, Any]) -> tuple[Patient | None, tuple[str, ...]]:
    """Return the patient of a record, or None and what is wrong with it, one line each."""
    problems: list[str] = []
    if data.get("schema") != SCHEMA:
        problems.append(f"schema is {data.get('schema')!r}: give {SCHEMA!r}")
    content = {name: value for name, value in data.items() if name != "schema"}
    patient = _group(PATIENT, content, "", problems)
    if patient is not None:
        patient = _with_age(patient)
        problems += _contradictions(patient)
    return (None if problems else patient), tuple(problems)


def filled_template(patient: Patient | None = None) -> dict[str, Any]:
    """Return a record to be filled in, each field with its question, unit and range beside it.

    What is known of ``patient`` is filled in already.
    """
    known = {} if patient is None else _known(PATIENT, patient)
    return {"schema": SCHEMA, **_template(PATIENT, known)}


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise CaseError(f"{path}: is larger than {LARGEST_BYTES} bytes: give a patient record")
        text = path.read_text(encoding="utf-8-sig")
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except OSError as error:
        raise CaseError(f"{path}: cannot be read ({error.strerror}): check the path") from error
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise CaseError(f"{path}: is no JSON ({reason}): mend it, or make a new record") from error
    if not isinstance(data, dict):
        raise CaseError(f"{path}: is no patient record: start from `kyphoplan patient new`")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1 and not name.startswith(COMMENT)}
    if twice:
        raise ValueError(f"{sorted(twice)[0]!r} stands twice")
    return dict(pairs)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _group(group: Group, data: Any, path: str, problems: list[str]) -> Any:
    """Build one group of the record; None if anything in it is wrong."""
    if not isinstance(data, Mapping):
        problems.append(f"{path.rstrip('.')}: give a group of fields in braces")
        return None
    before = len(problems)
    given = {name: value for name, value in data.items() if not name.startswith(COMMENT)}
    for name in given.keys() - {part.name for part in group.parts}:
        problems.append(f"{path}{name} is no field of the record: {group.nearest(name)}")
    values = {}
    for part in group.parts:
        raw = given.get(part.name)
        if raw is None:
            continue
        if isinstance(part, Group):
            values[part.name] = _group(part, raw, f"{path}{part.name}.", problems)
        else:
            try:
                values[part.name] = value_of(part, raw)
            except RefusedValueError as refused:
                problems.append(f"{path}{part.name}: {refused}")
    if len(problems) > before:
        return None
    try:
        return group.noun(**values)
    except ValueError as error:
        problems.append(str(error))
        return None


def _with_age(patient: Patient) -> Patient:
    """Work the age out from the date of birth where it is not given."""
    days = patient.days_since(patient.identity.birth_date)
    if patient.age_years is None and days is not None and days >= 0:
        return replace(patient, age_years=float(int(days / 365.25)))
    return patient


def _contradictions(patient: Patient) -> Iterator[str]:
    """Yield what cannot be true together: dates out of order, age against date of birth."""
    day, born = patient.assessed_on, patient.identity.birth_date
    if day is not None and day > date.today():
        yield f"assessed_on: {day} is still to come: give the day of the record"
    for path, when in _dates(patient, ""):
        if when < EARLIEST:
            yield f"{path}: {when} is before {EARLIEST}: give a day of this patient's life"
        elif day is not None and when > day:
            yield f"{path}: {when} is after assessed_on {day}: give a day from {EARLIEST} to {day}"
        elif when > date.today():
            yield f"{path}: {when} is still to come: give a day up to today"
        elif born is not None and when < born:
            yield f"{path}: {when} is before the birth on {born}: mend one of them"
    yield from _contradicting_ages(patient)
    nrs, vas = patient.pain.nrs, patient.pain.vas_mm
    if nrs is not None and vas is not None and abs(nrs - vas / 10.0) > POINTS_APART:
        yield f"pain.nrs: {nrs:g}, but pain.vas_mm {vas:g}: mend one of them"


def _contradicting_ages(patient: Patient) -> Iterator[str]:
    born, oldest = patient.identity.birth_date, PATIENT_AGE.high
    if patient.age_years is not None and patient.age_years > oldest:
        yield (
            f"identity.birth_date: {born} makes {patient.age_years:g} years: "
            f"give one of up to {oldest:g}"
        )
    days = patient.days_since(born)
    if days is not None and patient.age_years is not None:
        age = days / 365.25
        if abs(age - patient.age_years - 0.5) > YEARS_APART:
            yield f"age_years: {patient.age_years:g}, but born on {born}: mend one of them"


def _dates(noun: Any, path: str) -> Iterator[tuple[str, date]]:
    for name in noun.__dataclass_fields__:
        value = getattr(noun, name)
        if isinstance(value, date):
            yield f"{path}{name}", value
        elif is_dataclass(value):
            yield from _dates(value, f"{path}{name}.")
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if is_dataclass(item):
                    yield from _dates(item, f"{path}{name}[{place}].")


def _template(group: Group, known: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for part in group.parts:
        if isinstance(part, Group):
            result[part.name] = _template(part, known.get(part.name, {}))
            continue
        result[f"{COMMENT} {part.name}"] = part.explained
        result[part.name] = known.get(part.name)
    return result


def patient_to_record(patient: Patient) -> dict[str, Any]:
    """Return a patient as a record that `parse_patient` reads; unknown fields are left out.

    Examples
    --------
    >>> patient_to_record(Patient(asa=3))
    {'schema': 'kyphoplan.patient/1', 'asa': 3}
    """
    return {"schema": SCHEMA, **_known(PATIENT, patient)}


def _known(group: Group, noun: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for part in group.parts:
        value = getattr(noun, part.name)
        if isinstance(part, Group):
            inner = _known(part, value)
            if inner:
                result[part.name] = inner
        elif not _is_unknown(part, value):
            result[part.name] = _plain(value)
    return result


def _is_unknown(part: Field, value: Any) -> bool:
    return bool(value == part.default)


def _plain(value: Any) -> Any:
    if isinstance(value, Level):
        return value.name
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        filled = {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return {name: item for name, item in filled.items() if item not in {"", None}}
    return value
