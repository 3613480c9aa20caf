"""Heart risk around an operation: RCRI and Gupta MICA."""

import math

from kyphoplan.assessment.constants import Constant, table
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Patient, Score
from kyphoplan.case.answer import all_of
from kyphoplan.case.terms import Diabetes, Independence

RCRI = table(
    "RCRI", "Lee1999", "S2",
    {
        "high-risk surgery": 1,
        "ischemic heart disease": 1,
        "heart failure": 1,
        "stroke or TIA": 1,
        "insulin": 1,
        "creatinine": 1,
    },
)  # fmt: skip
RCRI_CREATININE = 2.0  # [mg/dL] RC-6, Lee1999 (S2); 177 umol/L

GUPTA_INTERCEPT = Constant("Gupta MICA", "intercept", -5.25, "1", ("Gupta2011",), "S2")
GUPTA_AGE = Constant("Gupta MICA", "per year of age", 0.02, "1/year", ("Gupta2011",), "S2")
GUPTA_SPINE = Constant("Gupta MICA", "operation on the spine", 0.21, "1", ("Gupta2011",), "S2")
GUPTA_CREATININE = Constant(
    "Gupta MICA", "creatinine above 1.5 mg/dL", 0.61, "1", ("Gupta2011",), "S2"
)
GUPTA_FUNCTION = table(
    "Gupta MICA", "Gupta2011", "S2", {"independent": 0.0, "partial": 0.65, "total": 1.03}, "1"
)
GUPTA_ASA = table(
    "Gupta MICA", "Gupta2011", "S2",
    {"ASA 1": -5.17, "ASA 2": -3.29, "ASA 3": -1.92, "ASA 4": -0.95, "ASA 5": 0.0}, "1",
)  # fmt: skip
GUPTA_HIGH_CREATININE = 1.5  # [mg/dL] Gupta2011 (S2)
ELEVATED_PCT = 1.0  # [%] from here the risk is called elevated, Gupta2011 (S2)
MORIBUND = 5  # [ASA class] the last with a number in Gupta2011 (S2)


def gupta_mica_pct(
    age_years: float, independence: Independence, asa: int, high_creatinine: bool
) -> float:
    """Return the chance of heart attack or cardiac arrest within 30 days [%].

    References
    ----------
    Gupta 2011, doi:10.1161/CIRCULATIONAHA.110.015701: logistic. Copies that take the square root
    of 1 + e^x, or 0.10 for the spine, are wrong.

    Examples
    --------
    >>> round(gupta_mica_pct(73, Independence.INDEPENDENT, 3, False), 3)
    0.407
    """
    x = GUPTA_INTERCEPT.value + GUPTA_AGE.value * age_years + GUPTA_SPINE.value
    x += GUPTA_FUNCTION[independence.value].value + GUPTA_ASA[f"ASA {asa}"].value
    x += GUPTA_CREATININE.value * high_creatinine
    return 100.0 / (1.0 + math.exp(-x))


def gupta_of(patient: Patient) -> Score:
    """Return Gupta's estimate for the patient; unknown, with its range, without creatinine."""
    age, asa = patient.age_years, patient.asa
    function, creatinine = patient.function.independence, patient.laboratory.creatinine_mg_per_dl
    missing = (
        ("age_years",) * (age is None)
        + ("function.independence",) * (function is Independence.UNKNOWN)
        + ("asa",) * (asa is None)
        + ("laboratory.creatinine_mg_per_dl",) * (creatinine is None)
    )
    low, high = 0.0, 100.0
    text = "cannot be computed"
    if (
        age is not None
        and asa is not None
        and asa <= MORIBUND
        and function is not Independence.UNKNOWN
    ):
        highs = (False, True) if creatinine is None else (creatinine > GUPTA_HIGH_CREATININE,)
        found = [gupta_mica_pct(age, function, asa, of) for of in highs]
        low, high = min(found), max(found)
        text = "an estimate from all kinds of operations; shown beside the rates after this one"
        if high >= ELEVATED_PCT:
            text = f"elevated ({ELEVATED_PCT:g} % or more); {text}"
    return Score(
        rule="Gupta MICA",
        name="Gupta: heart attack or cardiac arrest within 30 days",
        value=low if low == high else None,
        low=low,
        high=high,
        unit="%",
        text=text,
        source=cited("Gupta2011"),
        provenance="S2",
        missing=missing,
    )


def rcri_answers(patient: Patient) -> dict[str, Answer]:
    """Return the six items of the RCRI; balloon kyphoplasty is no high-risk surgery."""
    heart, creatinine = patient.heart, patient.laboratory.creatinine_mg_per_dl
    diabetes = patient.conditions.diabetes
    return {
        "high-risk surgery": Answer.NO,
        "ischemic heart disease": heart.ischemic | heart.infarction,
        "heart failure": heart.failure | heart.failure_recent,
        "stroke or TIA": heart.stroke,
        "insulin": Answer.of(
            None if diabetes is Diabetes.UNKNOWN else diabetes is Diabetes.INSULIN
        ),
        "creatinine": Answer.of(None if creatinine is None else creatinine > RCRI_CREATININE),
    }


def rcri_of(patient: Patient) -> Score:
    """Return the Revised Cardiac Risk Index [points].

    The rates printed with it come from inpatient operations with troponin tests; none is given.
    """
    answers = rcri_answers(patient)
    low = sum(RCRI[name].value for name, answer in answers.items() if answer is Answer.YES)
    open_items = [name for name, answer in answers.items() if answer is Answer.UNKNOWN]
    high = low + sum(RCRI[name].value for name in open_items)
    counted = [name for name, answer in answers.items() if answer is Answer.YES]
    return Score(
        rule="RCRI",
        name="Revised Cardiac Risk Index",
        value=low if low == high else None,
        low=low,
        high=high,
        unit="points",
        text=f"counted: {', '.join(counted) or 'nothing'}; it is no rate for this procedure",
        source=cited("Lee1999"),
        provenance="S2",
        missing=tuple(_RCRI_FIELDS[name] for name in open_items),
    )


_RCRI_FIELDS = {
    "ischemic heart disease": "heart.ischemic",
    "heart failure": "heart.failure",
    "stroke or TIA": "heart.stroke",
    "insulin": "conditions.diabetes",
    "creatinine": "laboratory.creatinine_mg_per_dl",
}


def no_heart_history(patient: Patient) -> Answer:
    """Return whether every item of the RCRI is answered with no."""
    return all_of(*(~answer for answer in rcri_answers(patient).values()))
