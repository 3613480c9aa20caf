"""A FHIR R4 Bundle as patient record: what it states is taken, all else stays unknown.

A condition that is not in the Bundle is unknown, not absent. Read with fhir.resources (R4B, whose
elements used here are those of R4), which is an extra: ``pip install 'kyphoplan[fhir]'``.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from kyphoplan.case import Patient
from kyphoplan.errors import CaseError
from kyphoplan.io.fhir_codes import (
    ALLERGIES,
    CONDITIONS,
    ICD10,
    LOINC,
    NO_KNOWN_ALLERGY,
    OBSERVATIONS,
    SNOMED,
    STENTS,
    UNITS,
)
from kyphoplan.io.patient_fields import SCHEMA

NOT_MEANT = frozenset(
    {"entered-in-error", "cancelled", "not-taken", "not-done", "stopped", "completed"}
)
# All of an order was handed out: what was handed out may still be taken.
ORDER_OVER = NOT_MEANT - {"completed"}
# A receiver that does not know what these mean must not use the resource (FHIR R4, 2.4).
MUST_KNOW = frozenset({"modifierExtension", "implicitRules"})
# A Bundle does not say that its medicines are all: this line stays until a person takes it out.
OPEN_LIST = "other medicines: not stated"
WHOLE_LIST = "10160-0"  # LOINC: history of medication use, the code of a List of all of them
TUMOURS = frozenset({"metastasis", "myeloma"})
GENDERS = {"female": "female", "male": "male", "other": "other"}
WORTHLESS = frozenset({"entered-in-error", "refuted"})


def patient_of_bundle(data: Mapping[str, Any], name: str) -> Patient:
    """Return the patient of a Bundle.

    Parameters
    ----------
    data : the Bundle as JSON data.
    name : how it is called in errors.

    Raises
    ------
    CaseError
        If it is no Bundle, holds none or several patients, mixes patients, or a value has a wrong
        unit or range.
    """
    from kyphoplan.io.patient_record import parse_patient  # noqa: PLC0415 - they know each other

    bundle = _validated(data, name)
    record = _record(bundle, name)
    patient, problems = parse_patient(record)
    if patient is None:
        raise CaseError(f"{name}: {problems[0]}")
    return patient


def _validated(data: Mapping[str, Any], name: str) -> Any:
    try:
        from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 - an optional library
    except ImportError:
        raise CaseError(
            f"{name}: is FHIR, and fhir.resources is not installed: "
            "pip install 'kyphoplan[fhir]', or give a record of our own"
        ) from None
    if data.get("resourceType") != "Bundle":
        raise CaseError(f"{name}: is a FHIR {data.get('resourceType')}: give a Bundle")
    _refuse_unknown_modifiers(data, name)
    try:
        return Bundle.model_validate(data)
    except ValueError as error:
        first = " ".join(str(error).split())[:160]
        raise CaseError(
            f"{name}: is no valid FHIR R4 Bundle ({first}): export it again"
        ) from error


def _refuse_unknown_modifiers(data: Any, name: str) -> None:
    """Refuse what may turn the meaning of a resource round in a way that is not known here."""
    if isinstance(data, Mapping):
        found = MUST_KNOW & data.keys()
        if found:
            kind = data.get("resourceType", "element")
            raise CaseError(
                f"{name}: a {kind} holds {sorted(found)[0]}, which may change its meaning and is "
                "not known here: leave it out of the export, or give a record of our own"
            )
        data = list(data.values())
    if isinstance(data, list):
        for part in data:
            _refuse_unknown_modifiers(part, name)


def _record(bundle: Any, name: str) -> dict[str, Any]:
    resources = [entry.resource for entry in bundle.entry or () if entry.resource is not None]
    by_kind: dict[str, list[Any]] = {}
    for resource in resources:
        by_kind.setdefault(resource.get_resource_type(), []).append(resource)
    _check_one_patient(bundle, by_kind, name)
    record: dict[str, Any] = {"schema": SCHEMA}
    if bundle.timestamp is not None:
        record["assessed_on"] = bundle.timestamp.date().isoformat()
    _put_identity(record, by_kind["Patient"][0])
    for path, value in _observed(by_kind.get("Observation", ()), name):
        _put(record, path, value)
    others = []
    for condition in by_kind.get("Condition", ()):
        if not _put_condition(record, condition):
            others.append(_text(condition.code))
    _put_medicines(record, by_kind)
    _put_allergies(record, by_kind.get("AllergyIntolerance", ()))
    _put_stents(record, by_kind.get("Procedure", ()))
    if others:
        _put(record, "conditions.others", sorted({text for text in others if text}))
    return record


def _check_one_patient(bundle: Any, by_kind: dict[str, list[Any]], name: str) -> None:
    patients = by_kind.get("Patient", [])
    if len(patients) != 1:
        raise CaseError(f"{name}: holds {len(patients)} patients: give a Bundle of one patient")
    own = {f"Patient/{patients[0].id}"} if patients[0].id else set()
    own |= {e.fullUrl for e in bundle.entry or () if e.resource is patients[0] and e.fullUrl}
    for resources in by_kind.values():
        for resource in resources:
            subject = getattr(resource, "subject", None) or getattr(resource, "patient", None)
            reference = (getattr(subject, "reference", None) or "").split("/_history/")[0]
            known = reference in own or "/".join(reference.split("/")[-2:]) in own
            if reference and not known:
                raise CaseError(f"{name}: {resource.get_resource_type()} is of another patient")


def _put(record: dict[str, Any], path: str, value: Any) -> None:
    *groups, last = path.split(".")
    for group in groups:
        record = record.setdefault(group, {})
    record[last] = value


def _put_identity(record: dict[str, Any], patient: Any) -> None:
    for identifier in patient.identifier or ():
        if identifier.value:
            _put(record, "identity.patient_id", identifier.value)
            break
    for called in patient.name or ():
        words = [*(called.given or ()), called.family or ""]
        text = called.text or " ".join(word for word in words if word)
        if text:
            _put(record, "identity.name", text)
            break
    if patient.birthDate is not None:
        _put(record, "identity.birth_date", patient.birthDate.isoformat()[:10])
    if patient.gender in GENDERS:
        record["sex"] = GENDERS[patient.gender]


def _codes(concept: Any, system: str) -> list[str]:
    codings = (concept.coding or ()) if concept is not None else ()
    return [coding.code for coding in codings if coding.system == system and coding.code]


def _text(concept: Any) -> str:
    if concept is None:
        return ""
    if concept.text:
        return str(concept.text)
    return next((str(c.display) for c in concept.coding or () if c.display), "")


def _day(moment: Any) -> str | None:
    if isinstance(moment, datetime):
        return moment.date().isoformat()
    return moment.isoformat()[:10] if isinstance(moment, date) else None


def _observed(observations: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the newest value of each field, with its unit, and the day of the INR."""
    newest: dict[str, tuple[str, Any]] = {}
    for observation in observations:
        found = [OBSERVATIONS[c] for c in _codes(observation.code, LOINC) if c in OBSERVATIONS]
        if not found or observation.status in NOT_MEANT - {"completed"}:
            continue
        day = _day(observation.effectiveDateTime) or ""
        if found[0] not in newest or day >= newest[found[0]][0]:
            newest[found[0]] = (day, observation)
    for path, (day, observation) in newest.items():
        value = _quantity(observation, path, name)
        if value is not None:
            yield path, value
        if path == "laboratory.inr" and day:
            yield "laboratory.inr_on", day


def _quantity(observation: Any, path: str, name: str) -> Any:
    quantity = observation.valueQuantity
    if quantity is None or quantity.value is None:
        return None if observation.valueInteger is None else int(observation.valueInteger)
    if quantity.comparator:
        return None  # "less than" is no value
    unit = quantity.code or quantity.unit
    if unit not in UNITS:
        raise CaseError(f"{name}: {path}: unit {unit!r} is not known: give {', '.join(UNITS)}")
    return {"value": float(quantity.value), "unit": UNITS[unit]}


def _put_condition(record: dict[str, Any], condition: Any) -> bool:
    """Put a condition where it belongs; False if no field is for it."""
    if set(_any_codes(condition.verificationStatus)) & WORTHLESS:
        return True
    over = bool(set(_any_codes(condition.clinicalStatus)) & {"inactive", "remission", "resolved"})
    snomed = _codes(condition.code, SNOMED)
    icd = [c.replace(".", "") for system in ICD10 for c in _codes(condition.code, system)]
    placed = False
    for path, word, concepts, beginnings, history in CONDITIONS:
        hit = set(concepts) & set(snomed) or any(code.startswith(beginnings) for code in icd)
        if beginnings and hit and (history or not over):
            placed = True
            if path == "injury.cause" and record.get("injury", {}).get("cause") in TUMOURS:
                continue  # brittle bone beside a tumour does not rule the tumour out
            _put(record, path, word)
            began = _day(condition.onsetDateTime)
            if path in {"heart.infarction", "heart.stroke"} and began:
                _put_latest(record, f"{path}_on", began)
    return placed or _put_diabetes(record, snomed, icd)


def _any_codes(concept: Any) -> list[str]:
    return [c.code for c in (concept.coding or ()) if c.code] if concept is not None else []


def _put_latest(record: dict[str, Any], path: str, day: str) -> None:
    group, last = path.split(".")
    if day > record.get(group, {}).get(last, ""):
        _put(record, path, day)


def _put_diabetes(record: dict[str, Any], snomed: list[str], icd: list[str]) -> bool:
    """Note diabetes; whether insulin is taken, the medicines tell."""
    known = {"73211009", "44054006", "46635009"}
    if not (known & set(snomed) or any(code.startswith(("E10", "E11", "E13")) for code in icd)):
        return False
    first_type = "46635009" in snomed or any(code.startswith("E10") for code in icd)
    if first_type:
        _put(record, "conditions.diabetes", "insulin")
    return first_type  # else its treatment is not known, and the text is kept


def _put_medicines(record: dict[str, Any], by_kind: dict[str, list[Any]]) -> None:
    """List the medicines taken; one that the Bundle does not name is unknown, not absent."""
    medications = {m.id: m for m in by_kind.get("Medication", ())}
    taken = [*by_kind.get("MedicationStatement", ()), *by_kind.get("MedicationRequest", ())]
    listed: dict[str, dict[str, str]] = {}
    for one in taken:
        order = one.get_resource_type() == "MedicationRequest"
        if one.status in (ORDER_OVER if order else NOT_MEANT):
            continue
        if order and one.doNotPerform:
            continue
        concept = one.medicationCodeableConcept
        reference = getattr(one.medicationReference, "reference", None) or ""
        if concept is None and reference.rsplit("/", 1)[-1] in medications:
            concept = medications[reference.rsplit("/", 1)[-1]].code
        text = _text(concept) or getattr(one.medicationReference, "display", None)
        text = text or "medicine without a name"
        listed.setdefault(text.casefold(), {"name": text})
    whole = any(WHOLE_LIST in _codes(one.code, LOINC) for one in by_kind.get("List", ()))
    if listed and not whole:
        listed[OPEN_LIST] = {"name": OPEN_LIST}
    if listed:
        record["medicines"] = list(listed.values())


def _put_allergies(record: dict[str, Any], allergies: Any) -> None:
    others = []
    for allergy in allergies:
        if set(_any_codes(allergy.verificationStatus)) & WORTHLESS:
            continue
        text = _text(allergy.code)
        if NO_KNOWN_ALLERGY in _codes(allergy.code, SNOMED):
            for path, _ in ALLERGIES:
                record.setdefault("allergies", {}).setdefault(path.split(".")[1], "no")
            continue
        words = text.casefold()
        hits = [path for path, names in ALLERGIES if any(name in words for name in names)]
        for path in hits if allergy.criticality != "low" else ():
            _put(record, path, "yes")
        if text:
            others.append(text)
    if others:
        _put(record, "allergies.others", sorted(set(others)))


def _put_stents(record: dict[str, Any], procedures: Any) -> None:
    for procedure in procedures:
        text = _text(procedure.code).casefold()
        stent = set(_codes(procedure.code, SNOMED)) & set(STENTS) or "stent" in text
        if not stent or procedure.status in NOT_MEANT - {"completed"}:
            continue
        _put(record, "heart.stent", "bare_metal" if "bare" in text else "drug_eluting")
        day = _day(procedure.performedDateTime)
        if day:
            _put_latest(record, "heart.stent_on", day)
