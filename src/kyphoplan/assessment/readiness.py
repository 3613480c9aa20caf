"""What must be in order before the procedure: a list that can be printed and gone through."""

from collections.abc import Sequence

from kyphoplan.assessment.cardiac import gupta_of, rcri_of
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.frailty import mfi5_of
from kyphoplan.assessment.holds import advise
from kyphoplan.assessment.item import OWN
from kyphoplan.assessment.ofscore import of_score_of, of_types
from kyphoplan.assessment.sins import sins_of
from kyphoplan.assessment.sources import cited
from kyphoplan.assessment.trauma import tlics_of
from kyphoplan.case import (
    Answer,
    Check,
    Finding,
    Readiness,
    Score,
    Status,
    Verdict,
)
from kyphoplan.case.terms import Cause

HEAVY_KG = 120.0  # [kg] RD-13, ASHP2013 (M): 3 g of cefazolin instead of 2 g
_CARDIOLOGIST, _TEAM = "cardiologist", "the team"

# rule of the finding: (title, who decides)
_FROM_FINDINGS = {
    "CI-R1": ("Nerves: legs, bladder, bowel", "spine surgeon"),
    "RF-2": ("Nerves: strength of the legs, gait, reflexes", "spine surgeon"),
    "AC-1": ("Clotting: INR", _TEAM),
    "AC-2": ("Platelets", _TEAM),
    "AC-6": ("Clotting: how far the medicine still works", _TEAM),
    "AC-H": ("Medicines against clots: when to stop and start", "prescriber and team"),
    "AC-U": ("All medicines recognised", "the team, with the pharmacist"),
    "AC-5": ("Danger of a clot when the medicine stops", "prescriber and team"),
    "RD-1": ("Heart attack in the last 60 days", _CARDIOLOGIST),
    "RD-2": ("Stroke or TIA in the last 3 months", "neurologist"),
    "RD-3": ("Stent and the medicine for it", _CARDIOLOGIST),
    "RD-4": ("Heart steady", _CARDIOLOGIST),
    "CI-A1": ("No infection of the body", _TEAM),
    "CI-A2": ("No infection of spine or skin there", _TEAM),
    "RF-9": ("No sign of infection", _TEAM),
    "CI-A4": ("Allergy to bone cement", _TEAM),
    "CI-A5": ("Allergy to contrast medium", _TEAM),
    "CI-A6": ("Not pregnant", _TEAM),
    "RD-11": ("Pregnancy test", _TEAM),
    "RD-5": ("Hemoglobin", "anesthesiologist"),
    "CI-R9": ("Can lie on the front; heart and lungs bear it", "anesthesiologist"),
    "CI-R10": ("Site can decompress and resuscitate", _TEAM),
    "IN-13": ("Bone density and bone treatment", "the patient's own doctor"),
}
_STATUS = {
    Verdict.PASS: Status.READY,
    Verdict.INFO: Status.READY,
    Verdict.INSUFFICIENT_DATA: Status.ASK,
    Verdict.WARN: Status.TO_DO,
}
# Done on the day, by hand: RD-12 of the evidence (P)
_ON_THE_DAY = (
    ("Nothing to eat or drink as told", "anesthesiologist"),
    ("Consent signed after a talk about all options", "operator"),
    ("Level and side marked, level counted under X-ray", "operator"),
    ("List of allergies at hand", _TEAM),
    ("Cards of implants at hand (pacemaker, stent)", _TEAM),
)


def readiness(facts: Facts, findings: Sequence[Finding]) -> Readiness:
    """Return checks, scores and medicines."""
    patient = facts.patient
    medicines = patient.medicines
    return Readiness(
        checks=(*_from_findings(findings), _asa(facts), _escort(facts), *_day(facts)),
        scores=_scores(facts),
        medicines=tuple(advise(medicine) for medicine in medicines or ()),
        medicines_known=medicines is not None,
    )


def scores_of_level(facts: Facts) -> tuple[Score, ...]:
    """Return the scores of one level: OF, and SINS where a tumour may be the cause."""
    types, _ = of_types(facts)
    scores: tuple[Score, ...] = (of_score_of(facts, types),)
    if facts.patient.injury.cause in {Cause.METASTASIS, Cause.MYELOMA}:
        scores += (sins_of(facts),)
    return scores


def _scores(facts: Facts) -> tuple[Score, ...]:
    patient = facts.patient
    scores = (rcri_of(patient), gupta_of(patient), mfi5_of(patient))
    return scores + ((tlics_of(patient),) if patient.injury.cause is Cause.TRAUMA else ())


def _from_findings(findings: Sequence[Finding]) -> list[Check]:
    by_rule = {finding.rule: finding for finding in findings}
    return [
        Check(
            rule=rule,
            title=title,
            status=_STATUS.get(by_rule[rule].verdict, Status.STOP),
            text=by_rule[rule].fact,
            who=who,
            source=by_rule[rule].source,
            provenance=by_rule[rule].provenance,
        )
        for rule, (title, who) in _FROM_FINDINGS.items()
    ]


def _asa(facts: Facts) -> Check:
    asa = facts.patient.asa
    return Check(
        rule="ASA",
        title="ASA class",
        status=Status.ASK if asa is None else Status.READY,
        text="not known" if asa is None else f"ASA {asa}",
        who="anesthesiologist, who gives it",
        source="ASA physical status classification",
        provenance="S",
    )


def _escort(facts: Facts) -> Check:
    escort = facts.patient.circumstances.escort
    status = {Answer.YES: Status.READY, Answer.NO: Status.TO_DO, Answer.UNKNOWN: Status.ASK}
    return Check(
        rule="DS-1",
        title="Somebody takes the patient home and stays for 24 h",
        status=status[escort],
        text=f"escort: {escort}",
        who=_TEAM,
        source=cited("Shin2023"),
        provenance="S,P",
    )


def _day(facts: Facts) -> list[Check]:
    by_hand = [
        Check(
            rule="RD-12", title=title, status=Status.TO_DO, text="on the day", who=who,
            source=OWN, provenance="P",
        )
        for title, who in _ON_THE_DAY
    ]  # fmt: skip
    return [*by_hand, _antibiotic(facts)]


def _antibiotic(facts: Facts) -> Check:
    weight, allergic = facts.patient.weight_kg, facts.patient.allergies.antibiotic
    dose = "dose by weight"
    if weight is not None:
        dose = f"cefazolin {3 if weight >= HEAVY_KG else 2} g at {weight:.0f} kg"
    if allergic is Answer.YES:
        dose = "allergy: another antibiotic"
    return Check(
        rule="RD-13",
        title="Antibiotic within 60 minutes before the start",
        status=Status.ASK if allergic is Answer.UNKNOWN else Status.TO_DO,
        text=dose if allergic is not Answer.UNKNOWN else "allergy to antibiotics not known",
        who="anesthesiologist",
        source=cited("ASHP2013"),
        provenance="M",
    )
