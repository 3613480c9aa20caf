"""The JSON Schema of the patient record, made from the noun's own fields."""

from enum import Enum
from typing import Any

from kyphoplan.case import Level
from kyphoplan.case.patient import Medicine
from kyphoplan.io.patient_fields import PATIENT, SCHEMA, Field, Group
from kyphoplan.io.patient_values import LONGEST, MOST

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def patient_schema() -> dict[str, Any]:
    """Return the schema that is published in `docs/reference/patient.schema.json`.

    Examples
    --------
    >>> patient_schema()["properties"]["asa"]["anyOf"][0]["maximum"]
    6
    """
    body = _group(PATIENT)
    body["properties"] = {"schema": {"const": SCHEMA}} | body["properties"]
    return {
        "$schema": DIALECT,
        "title": "kyphoplan patient record",
        "required": ["schema"],
        **body,
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            part.name: _group(part) if isinstance(part, Group) else _field(part)
            for part in group.parts
        },
        "patternProperties": {"^//": {}},
        "additionalProperties": False,
    }


def _field(field: Field) -> dict[str, Any]:
    single = _single(field)
    if field.many:
        single = {"type": "array", "items": single, "maxItems": MOST}
    forms = [single, {"type": "null"}]
    if field.asked.unit:
        units = [field.asked.unit, *field.asked.others]
        quantity = {
            "type": "object",
            "properties": {"value": {"type": "number"}, "unit": {"enum": units}},
            "required": ["value", "unit"],
            "additionalProperties": False,
        }
        forms.insert(1, quantity)
    return {"description": field.asked.question, "anyOf": forms}


def _single(field: Field) -> dict[str, Any]:
    if field.kind in {int, float}:
        kind = "integer" if field.kind is int else "number"
        return {"type": kind, "minimum": field.asked.low, "maximum": field.asked.high}
    if field.kind is Level:
        return {"type": "string", "pattern": "^[A-Za-z][0-9]{1,2}$"}
    if issubclass(field.kind, Enum):
        return {"enum": [member.value for member in field.kind]}
    if field.kind is Medicine:
        text = {"type": "string", "minLength": 1, "maxLength": LONGEST}
        names = {"name": text, "dose": text, "reason": text}
        return {
            "type": "object",
            "properties": names | {"last_taken": {"type": "string", "format": "date"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    if field.kind is str:
        return {"type": "string", "minLength": 1, "maxLength": LONGEST}
    return {"type": "string", "format": "date"}
