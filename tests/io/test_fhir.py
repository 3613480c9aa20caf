"""A FHIR R4 Bundle: what it states is taken, what it does not state stays unknown."""

import json
from pathlib import Path
from typing import Any

import pytest

from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.medicines import Kind, takes
from kyphoplan.case import Answer, Medicine, Patient
from kyphoplan.case.terms import Cause, Pregnancy, Sex, Stent
from kyphoplan.errors import CaseError
from kyphoplan.io.fhir import OPEN_LIST
from kyphoplan.io.patient_record import read_patient

LOINC, SNOMED, ICD = (
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://hl7.org/fhir/sid/icd-10-cm",
)
SUBJECT = {"reference": "Patient/p1"}
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"value": "EX-01"}],
    "name": [{"family": "Example", "given": ["Anna"]}],
    "gender": "female",
    "birthDate": "1951-05-04",
}


def coded(system: str, code: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def observation(
    code: str, value: float, unit: str, day: str = "2026-03-01", **more: Any
) -> dict[str, Any]:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation", "status": "final", "code": coded(LOINC, code),
        "subject": SUBJECT, "effectiveDateTime": day, "valueQuantity": quantity,
    } | more  # fmt: skip


def condition(system: str, disease: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": coded(system, disease), "subject": SUBJECT} | more


def medication(text: str, status: str = "active") -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement", "status": status, "subject": SUBJECT,
        "medicationCodeableConcept": {"text": text},
    }  # fmt: skip


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": "2026-03-02T09:00:00Z",
        "entry": [{"resource": one} for one in (PATIENT, *resources)],
    }


def read(tmp_path: Path, data: dict[str, Any]) -> Patient:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return read_patient(path)


def test_who_the_patient_is_comes_from_the_bundle(tmp_path: Path) -> None:
    patient = read(tmp_path, bundle())
    assert patient.identity.patient_id == "EX-01"
    assert patient.identity.name == "Anna Example"
    assert patient.sex is Sex.FEMALE
    assert patient.age_years == 74.0
    assert patient.assessed_on is not None


def test_what_a_bundle_does_not_state_is_unknown(tmp_path: Path) -> None:
    patient = read(tmp_path, bundle())
    assert patient.medicines is None
    assert patient.heart.infarction is Answer.UNKNOWN
    assert patient.infection.systemic is Answer.UNKNOWN
    assert patient.injury.cause is Cause.UNKNOWN


def test_observations_bring_their_units_and_the_newest_counts(tmp_path: Path) -> None:
    patient = read(
        tmp_path,
        bundle(
            observation("6301-6", 2.4, "{INR}", "2026-03-02"),
            observation("6301-6", 1.1, "{INR}", "2026-02-01"),
            observation("718-7", 121.0, "g/L"),
            observation("2160-0", 0.9, "mg/dL"),
            observation("777-3", 210.0, "10*3/uL"),
            observation("29463-7", 150.0, "[lb_av]"),
            observation("8302-2", 160.0, "cm"),
            observation("72514-3", 7.0, "{score}"),
            observation("1751-7", 9.9, "g/dL", status="entered-in-error"),
        ),
    )
    assert patient.laboratory.inr == 2.4
    assert str(patient.laboratory.inr_on) == "2026-03-02"
    assert patient.laboratory.hemoglobin_g_per_dl == pytest.approx(12.1)
    assert patient.laboratory.platelets_e9_per_l == 210.0
    assert patient.weight_kg == pytest.approx(68.04, abs=0.01)
    assert patient.pain.nrs == 7.0
    assert patient.laboratory.albumin_g_per_dl is None


def test_conditions_by_snomed_and_icd(tmp_path: Path) -> None:
    over = {
        "clinicalStatus": coded(
            "http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved"
        )
    }
    wrong = {
        "verificationStatus": coded(
            "http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted"
        )
    }
    patient = read(
        tmp_path,
        bundle(
            condition(SNOMED, "22298006", onsetDateTime="2026-02-10", **over),
            condition(ICD, "J44.9"),
            condition(ICD, "C79.51"),
            condition(ICD, "G83.4"),
            condition(ICD, "A41.9", **over),
            condition(ICD, "I63.9", **wrong),
            condition(ICD, "L40.0", code={"text": "psoriasis"}),
        ),
    )
    assert patient.heart.infarction is Answer.YES
    assert str(patient.heart.infarction_on) == "2026-02-10"
    assert patient.lungs.copd is Answer.YES
    assert patient.injury.cause is Cause.METASTASIS
    assert patient.conditions.cancer is Answer.YES
    assert patient.mri.cord_compressed is Answer.YES
    assert patient.infection.systemic is Answer.UNKNOWN  # it is over; nobody says what is now
    assert patient.heart.stroke is Answer.UNKNOWN
    assert patient.conditions.others == ("psoriasis",)


def test_pregnancy_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, bundle(condition(SNOMED, "77386006"))).pregnancy is Pregnancy.YES


def test_medicines_of_statements_requests_and_references(tmp_path: Path) -> None:
    request = {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": SUBJECT, "medicationReference": {"reference": "Medication/m1"},
    }  # fmt: skip
    drug = {"resourceType": "Medication", "id": "m1", "code": {"text": "Plavix 75 mg"}}
    patient = read(
        tmp_path,
        bundle(medication("Eliquis"), medication("Warfarin", "stopped"), request, drug),
    )
    assert patient.medicines == (
        Medicine(name="Eliquis"),
        Medicine(name="Plavix 75 mg"),
        Medicine(name=OPEN_LIST),
    )


def test_a_medicine_without_a_name_is_kept_to_be_checked(tmp_path: Path) -> None:
    nameless = medication("x") | {"medicationCodeableConcept": coded(SNOMED, "1")}
    patient = read(tmp_path, bundle(nameless))
    assert patient.medicines == (
        Medicine(name="medicine without a name"),
        Medicine(name=OPEN_LIST),
    )


def test_allergies(tmp_path: Path) -> None:
    def allergy(text: str, **more: Any) -> dict[str, Any]:
        return {
            "resourceType": "AllergyIntolerance", "patient": SUBJECT, "code": {"text": text},
        } | more  # fmt: skip

    patient = read(tmp_path, bundle(allergy("Iodinated contrast"), allergy("Peanut")))
    assert patient.allergies.contrast is Answer.YES
    assert patient.allergies.pmma is Answer.UNKNOWN
    assert patient.allergies.others == ("Iodinated contrast", "Peanut")
    none = allergy("") | {"code": coded(SNOMED, "716186003")}
    assert read(tmp_path, bundle(none)).allergies.pmma is Answer.NO


def test_a_stent_is_read_with_its_day(tmp_path: Path) -> None:
    stent = {
        "resourceType": "Procedure", "status": "completed", "subject": SUBJECT,
        "code": coded(SNOMED, "36969009", "Placement of stent"), "performedDateTime": "2026-01-05",
    }  # fmt: skip
    patient = read(tmp_path, bundle(stent))
    assert patient.heart.stent is Stent.DRUG_ELUTING
    assert str(patient.heart.stent_on) == "2026-01-05"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"resourceType": "Patient"}, "give a Bundle"),
        ({"resourceType": "Bundle"}, "no valid FHIR"),
        ({"resourceType": "Bundle", "type": "collection"}, "holds 0 patients"),
        (bundle(PATIENT | {"id": "p2"}), "holds 2 patients"),
        (bundle(condition(ICD, "J44.9", subject={"reference": "Patient/p9"})), "another patient"),
        (bundle(condition(ICD, "J44.9", subject={"reference": "urn:uuid:9"})), "another patient"),
        (bundle(condition(ICD, "J44.9", subject={"reference": "Group/p1"})), "another patient"),
        (
            bundle(
                condition(ICD, "I63.9", modifierExtension=[{"url": "x", "valueBoolean": True}])
            ),
            "modifierExtension, which may change its meaning",
        ),
        (bundle(condition(ICD, "I63.9", implicitRules="http://x.y/z")), "implicitRules"),
        (bundle(observation("6301-6", 2.4, "s")), "unit 's' is not known"),
        (bundle(observation("6301-6", 24.0, "{INR}")), "laboratory.inr: .* out of range"),
        (bundle(observation("718-7", 121.0, "g/dL")), "hemoglobin_g_per_dl: .* out of range"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, data: dict[str, Any], words: str
) -> None:
    with pytest.raises(CaseError, match=words) as caught:
        read(tmp_path, data)
    assert len(str(caught.value).splitlines()) == 1


def test_that_every_medicine_was_stopped_does_not_say_that_none_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, bundle(medication("Warfarin", "stopped"))).medicines is None


def test_an_order_handed_out_may_still_be_taken_and_one_not_to_be_done_is_not(
    tmp_path: Path,
) -> None:
    def order(text: str, status: str, **more: Any) -> dict[str, Any]:
        return medication(text, status) | {
            "resourceType": "MedicationRequest", "intent": "order", **more,
        }  # fmt: skip

    patient = read(
        tmp_path,
        bundle(order("Eliquis", "completed"), order("Aspirin", "active", doNotPerform=True)),
    )
    assert patient.medicines == (Medicine(name="Eliquis"), Medicine(name=OPEN_LIST))


def test_a_medicine_that_the_bundle_does_not_name_is_not_absent(tmp_path: Path) -> None:
    stated = read(tmp_path, bundle(medication("Paracetamol")))
    facts = Facts(patient=stated, measurements=None, levels=())
    assert takes(facts, Kind.ANTICOAGULANT).answer is Answer.UNKNOWN
    whole = {
        "resourceType": "List", "status": "current", "mode": "snapshot",
        "code": coded(LOINC, "10160-0"), "subject": SUBJECT,
    }  # fmt: skip
    listed = read(tmp_path, bundle(medication("Paracetamol"), whole))
    assert listed.medicines == (Medicine(name="Paracetamol"),)


@pytest.mark.parametrize("turned", [False, True])
def test_brittle_bone_does_not_hide_a_tumour(tmp_path: Path, turned: bool) -> None:
    found = [condition(ICD, "C79.51"), condition(ICD, "M80.08XA")]
    patient = read(tmp_path, bundle(*(reversed(found) if turned else found)))
    assert patient.injury.cause is Cause.METASTASIS


@pytest.mark.parametrize(
    "subject", ["urn:uuid:1", "http://a.b/fhir/Patient/p1", "Patient/p1/_history/2"]
)
def test_the_patient_of_the_bundle_may_be_named_in_each_way(tmp_path: Path, subject: str) -> None:
    made = bundle(condition(ICD, "J44.9", subject={"reference": subject}))
    made["entry"][0]["fullUrl"] = "urn:uuid:1"
    assert read(tmp_path, made).lungs.copd is Answer.YES
