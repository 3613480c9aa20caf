"""What raises the risk around the procedure without deciding about it."""

from kyphoplan.assessment.facts import Facts, Told, known, unknown
from kyphoplan.assessment.item import item
from kyphoplan.case import Step, Verdict

HEMOGLOBIN_MIN = 8.0  # [g/dL] RD-5 (P)
ALBUMIN_MIN = 3.0  # [g/dL] RD-6, Kim2020 (S)
CREATININE_MAX = 1.3  # [mg/dL] RD-7, Kim2020 (S)
ASA_SEVERE = 4  # [ASA class] RD-8, Kim2020 and Toy2014 (S)
OLD_IMAGE_DAYS = 30  # [days] hazard F6 (P)
STEP = Step.NOTES


@item("RD-5", STEP, Verdict.WARN, limit=f"below {HEMOGLOBIN_MIN:g} g/dL", cite=(), provenance="P",
      change="hemoglobin above the limit")  # fmt: skip
def anemic(facts: Facts) -> Told:
    """Too little hemoglobin: the anesthesiologist is told."""
    return facts.number(
        "laboratory.hemoglobin_g_per_dl", lambda value: value < HEMOGLOBIN_MIN, "g/dL"
    )


@item("RD-6", STEP, Verdict.WARN, limit=f"below {ALBUMIN_MIN:g} g/dL", cite=("Kim2020",),
      provenance="S", change="albumin above the limit")  # fmt: skip
def little_albumin(facts: Facts) -> Told:
    """Little albumin: major complications are more frequent."""
    return facts.number("laboratory.albumin_g_per_dl", lambda value: value < ALBUMIN_MIN, "g/dL")


@item("RD-7", STEP, Verdict.WARN, limit=f"{CREATININE_MAX:g} mg/dL or more", cite=("Kim2020",),
      provenance="S", change="creatinine below the limit")  # fmt: skip
def weak_kidneys(facts: Facts) -> Told:
    """Weak kidneys: death within 30 days is more frequent (odds 3.49 times, 1.13 to 10.8)."""
    return facts.number(
        "laboratory.creatinine_mg_per_dl", lambda value: value >= CREATININE_MAX, "mg/dL"
    )


@item("RD-8", STEP, Verdict.WARN, limit=f"ASA {ASA_SEVERE} or more", cite=("Kim2020", "Toy2014"),
      provenance="S", change="the anesthesiologist gives another class")  # fmt: skip
def severe_disease(facts: Facts) -> Told:
    """A disease that threatens life (ASA IV): death within 30 days is more frequent (odds 16.6
    times, 1.96 to 141), adverse events too (2.7 times).
    """
    return facts.number("asa", lambda asa: asa >= ASA_SEVERE)


@item("RD-9", STEP, Verdict.WARN, limit="yes", cite=("Toy2014",), provenance="S", change="")
def in_hospital(facts: Facts) -> Told:
    """In hospital already: adverse events are more frequent (odds 2.7 times), and so is coming
    back to hospital.
    """
    return facts.says("circumstances.inpatient")


@item("RD-10", STEP, Verdict.WARN, limit="yes", cite=("Toy2014", "Kim2020"), provenance="S",
      change="")  # fmt: skip
def lung_disease(facts: Facts) -> Told:
    """Lung disease: minor complications and coming back to hospital are more frequent."""
    return facts.says("lungs.copd")


@item("AC-4", STEP, Verdict.WARN, limit="yes", cite=("Patel2019",), provenance="S,M", change="")
def liver_disease(facts: Facts) -> Told:
    """Chronic liver disease: other limits of clotting hold; plasma and platelets with care."""
    return facts.says("conditions.liver")


@item("F-6", STEP, Verdict.WARN, limit=f"{OLD_IMAGE_DAYS} days", cite=(), provenance="P",
      change="a newer image")  # fmt: skip
def old_mri(facts: Facts) -> Told:
    """The MRI is old: the spine may have changed since."""
    ago = facts.patient.days_since(facts.patient.mri.on)
    if ago is None:
        return unknown("mri.on")
    return known(ago > OLD_IMAGE_DAYS, f"MRI {ago} days ago")


OF_PATIENT = (
    anemic,
    little_albumin,
    weak_kidneys,
    severe_disease,
    in_hospital,
    lung_disease,
    liver_disease,
    old_mri,
)
