"""What is known of the patient beside the images; what is not known stays unknown.

Each field carries the question that is asked for it, its unit, the range that is accepted and
other units that may be given. The record's schema, its template and its checks are made from that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from kyphoplan.case.answer import Answer
from kyphoplan.case.level import Level
from kyphoplan.case.terms import (
    Alignment,
    Cause,
    Diabetes,
    Independence,
    Involvement,
    Lesion,
    Ligaments,
    NeurologicalGrade,
    PainKind,
    Pregnancy,
    Sex,
    Stent,
    Trend,
)

OF_UNSTABLE = 5  # [OF type] AOcard: tension band failed, distraction, rotation or translation


@dataclass(frozen=True, slots=True)
class Asked:
    """How a field of the record is asked for.

    Attributes
    ----------
    question : in plain words.
    unit : of a number; empty for anything else, "1" for a pure number.
    low, high : the range that is accepted, in that unit.
    others : factors that bring other units to ``unit``.
    """

    question: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the patient is, as far as it serves to tell that images and record belong together."""

    patient_id: Annotated[str | None, Asked("Identifier, as it stands on the images")] = None
    name: Annotated[str | None, Asked("Name, as it stands on the images")] = None
    birth_date: Annotated[date | None, Asked("Date of birth")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pain:
    """The pain: how strong, since when, where, and what it comes from."""

    nrs: Annotated[
        float | None, Asked("Pain now, from 0 to 10 (NRS)", unit="1", low=0, high=10)
    ] = None
    vas_mm: Annotated[
        float | None, Asked("Pain now, on a line of 100 mm (VAS)", unit="mm", low=0, high=100)
    ] = None
    onset: Annotated[date | None, Asked("Day on which the pain began")] = None
    trend: Annotated[Trend, Asked("Is the pain getting better, the same, or worse?")] = (
        Trend.UNKNOWN
    )
    at_levels: Annotated[tuple[Level, ...] | None, Asked("Levels that hurt when examined")] = None
    from_fracture: Annotated[Answer, Asked("Does the pain come mainly from the fracture?")] = (
        Answer.UNKNOWN
    )
    radicular: Annotated[Answer, Asked("Pain along a nerve root that exceeds the back pain?")] = (
        Answer.UNKNOWN
    )
    crisis: Annotated[Answer, Asked("Pain crisis (pain that no medicine controls)?")] = (
        Answer.UNKNOWN
    )
    kind: Annotated[PainKind, Asked("Mechanical, other or none (tumour only, for SINS)")] = (
        PainKind.UNKNOWN
    )

    @property
    def strength(self) -> float | None:
        """Pain from 0 to 10: the NRS, or else a tenth of the VAS."""
        if self.nrs is not None:
            return self.nrs
        return None if self.vas_mm is None else self.vas_mm / 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """Treatment without operation, so far and to come."""

    optimal: Annotated[Answer, Asked("Has the best treatment without operation been given?")] = (
        Answer.UNKNOWN
    )
    failed: Annotated[
        Answer,
        Asked(
            "Did it fail: after 24 h of analgesia no walking or no physiotherapy, or side "
            "effects that cannot be borne?"
        ),
    ] = Answer.UNKNOWN
    who_step: Annotated[
        int | None, Asked("Step of the WHO ladder of pain medicines", unit="1", low=0, high=3)
    ] = None
    bone_plan: Annotated[
        Answer, Asked("Are bone density and bone treatment being looked after?")
    ] = Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What the patient can do."""

    independence: Annotated[Independence, Asked("Help needed in daily life")] = (
        Independence.UNKNOWN
    )
    rdq: Annotated[
        int | None,
        Asked("Roland-Morris Disability Questionnaire, total", unit="1", low=0, high=24),
    ] = None
    odi_pct: Annotated[
        float | None, Asked("Oswestry Disability Index, total", unit="%", low=0, high=100)
    ] = None
    mobilisable: Annotated[Answer, Asked("Can get up and walk with pain medicine?")] = (
        Answer.UNKNOWN
    )
    lies_prone: Annotated[Answer, Asked("Can lie on the front for about an hour?")] = (
        Answer.UNKNOWN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Neurology:
    """Cord, roots, bladder and bowel."""

    grade: Annotated[NeurologicalGrade, Asked("AO Spine neurological grade")] = (
        NeurologicalGrade.UNKNOWN
    )
    power_mrc: Annotated[
        int | None, Asked("Weakest muscle of the legs, MRC grade", unit="1", low=0, high=5)
    ] = None
    worsening: Annotated[Answer, Asked("Weakness or numbness getting worse over days?")] = (
        Answer.UNKNOWN
    )
    bladder: Annotated[Answer, Asked("New trouble passing or holding urine?")] = Answer.UNKNOWN
    bowel: Annotated[Answer, Asked("New loss of bowel control?")] = Answer.UNKNOWN
    saddle: Annotated[Answer, Asked("Numb between the legs (saddle)?")] = Answer.UNKNOWN
    sciatica: Annotated[Answer, Asked("Pain down both legs with weakness or numbness?")] = (
        Answer.UNKNOWN
    )
    myelopathy: Annotated[
        Answer, Asked("Signs of cord damage: gait, clonus, Babinski, sensory level?")
    ] = Answer.UNKNOWN
    claudication: Annotated[
        Answer, Asked("Is narrowing of many levels, with leg symptoms, the main complaint?")
    ] = Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Infection:
    """Infection now, and what makes one likely."""

    systemic: Annotated[Answer, Asked("Sepsis or another active infection of the whole body?")] = (
        Answer.UNKNOWN
    )
    local: Annotated[Answer, Asked("Infection of the vertebra, the disc or the skin there?")] = (
        Answer.UNKNOWN
    )
    fever: Annotated[Answer, Asked("Fever or rigors?")] = Answer.UNKNOWN
    susceptible: Annotated[Answer, Asked("Injects drugs, or immune system suppressed?")] = (
        Answer.UNKNOWN
    )
    markers: Annotated[Answer, Asked("CRP or ESR raised?")] = Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Allergies:
    """Severe allergies that matter here."""

    pmma: Annotated[Answer, Asked("Severe allergy to bone cement (PMMA)?")] = Answer.UNKNOWN
    contrast: Annotated[Answer, Asked("Severe allergy to iodinated contrast medium?")] = (
        Answer.UNKNOWN
    )
    other_medium: Annotated[Answer, Asked("Another medium for the balloon agreed?")] = (
        Answer.UNKNOWN
    )
    antibiotic: Annotated[Answer, Asked("Allergy to cefazolin or its relatives?")] = Answer.UNKNOWN
    others: Annotated[tuple[str, ...], Asked("Other allergies")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """Blood tests."""

    inr: Annotated[
        float | None, Asked("INR (a ratio, not seconds)", unit="1", low=0.5, high=10)
    ] = None
    inr_on: Annotated[date | None, Asked("Day of the INR")] = None
    platelets_e9_per_l: Annotated[
        float | None,
        Asked(
            "Platelets", unit="10^9/L", low=1, high=2000, others={"1000/uL": 1.0, "1/uL": 0.001}
        ),
    ] = None
    hemoglobin_g_per_dl: Annotated[
        float | None, Asked("Hemoglobin", unit="g/dL", low=3, high=25, others={"g/L": 0.1})
    ] = None
    creatinine_mg_per_dl: Annotated[
        float | None,
        Asked("Creatinine", unit="mg/dL", low=0.1, high=20, others={"umol/L": 1 / 88.4}),
    ] = None
    clearance_ml_per_min: Annotated[
        float | None, Asked("Creatinine clearance", unit="mL/min", low=1, high=250)
    ] = None
    albumin_g_per_dl: Annotated[
        float | None, Asked("Albumin", unit="g/dL", low=0.5, high=7, others={"g/L": 0.1})
    ] = None
    uncorrectable: Annotated[Answer, Asked("Bleeding disorder that cannot be corrected?")] = (
        Answer.UNKNOWN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """One medicine as the patient names it: generic, brand, or nearly so."""

    name: str
    dose: str = ""
    reason: str = ""
    last_taken: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """Heart, vessels and brain."""

    infarction: Annotated[Answer, Asked("Ever had a heart attack?")] = Answer.UNKNOWN
    infarction_on: Annotated[date | None, Asked("Day of the last heart attack")] = None
    stroke: Annotated[Answer, Asked("Ever had a stroke or TIA?")] = Answer.UNKNOWN
    stroke_on: Annotated[date | None, Asked("Day of the last stroke or TIA")] = None
    stent: Annotated[Stent, Asked("Coronary stent")] = Stent.UNKNOWN
    stent_on: Annotated[date | None, Asked("Day of the last stent")] = None
    stent_acute: Annotated[
        Answer, Asked("Was the stent placed for an acute coronary syndrome?")
    ] = Answer.UNKNOWN
    unstable: Annotated[
        Answer,
        Asked(
            "Unstable angina, decompensated heart failure, high-grade block, or severe "
            "aortic stenosis?"
        ),
    ] = Answer.UNKNOWN
    ischemic: Annotated[Answer, Asked("Ischemic heart disease?")] = Answer.UNKNOWN
    failure: Annotated[Answer, Asked("History of heart failure?")] = Answer.UNKNOWN
    failure_recent: Annotated[Answer, Asked("Heart failure within 30 days?")] = Answer.UNKNOWN
    ejection_pct: Annotated[float | None, Asked("Ejection fraction", unit="%", low=5, high=90)] = (
        None
    )
    hypertension: Annotated[Answer, Asked("High blood pressure treated with medicines?")] = (
        Answer.UNKNOWN
    )
    valve: Annotated[Answer, Asked("Mechanical mitral valve?")] = Answer.UNKNOWN
    clot_recent: Annotated[Answer, Asked("Clot in a leg or lung within 3 months?")] = (
        Answer.UNKNOWN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lungs:
    """Lungs and airway."""

    copd: Annotated[Answer, Asked("COPD or pneumonia?")] = Answer.UNKNOWN
    severe: Annotated[
        Answer,
        Asked("Severe heart or lung disease, such that lying prone or an embolus would harm?"),
    ] = Answer.UNKNOWN
    oxygen: Annotated[Answer, Asked("Needs oxygen at home?")] = Answer.UNKNOWN
    sleep_apnea: Annotated[Answer, Asked("Sleep apnea?")] = Answer.UNKNOWN
    airway: Annotated[Answer, Asked("Difficult airway known or expected?")] = Answer.UNKNOWN
    reflux: Annotated[Answer, Asked("Full stomach or reflux?")] = Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Other conditions that change the plan."""

    diabetes: Annotated[Diabetes, Asked("Diabetes")] = Diabetes.UNKNOWN
    dialysis: Annotated[Answer, Asked("Dialysis?")] = Answer.UNKNOWN
    liver: Annotated[Answer, Asked("Chronic liver disease?")] = Answer.UNKNOWN
    dementia: Annotated[Answer, Asked("Dementia, confusion or agitation?")] = Answer.UNKNOWN
    language_barrier: Annotated[Answer, Asked("Language barrier in the operating room?")] = (
        Answer.UNKNOWN
    )
    cancer: Annotated[Answer, Asked("Cancer, now or before?")] = Answer.UNKNOWN
    constitutional: Annotated[Answer, Asked("Weight loss, night sweats?")] = Answer.UNKNOWN
    others: Annotated[tuple[str, ...], Asked("Other conditions")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Injury:
    """The fracture as people who saw the images and the patient read it."""

    cause: Annotated[Cause, Asked("Cause of the fracture")] = Cause.UNKNOWN
    high_energy: Annotated[
        Answer, Asked("Fall from a height, road accident or other high energy?")
    ] = Answer.UNKNOWN
    unstable: Annotated[
        Answer,
        Asked(
            "Unstable: tension band failed, distraction, rotation, translation (OF5, AO B or C)?"
        ),
    ] = Answer.UNKNOWN
    progressing: Annotated[Answer, Asked("Has the deformity grown since an earlier image?")] = (
        Answer.UNKNOWN
    )
    posterior_fracture: Annotated[
        Answer, Asked("Pedicle or posterior arch broken on the side of entry?")
    ] = Answer.UNKNOWN
    of_type: Annotated[
        int | None, Asked("OF type as read by a person, 1 to 5", unit="1", low=1, high=5)
    ] = None
    ligaments: Annotated[Ligaments, Asked("Posterior ligaments on MRI (trauma only)")] = (
        Ligaments.UNKNOWN
    )
    atypical: Annotated[Answer, Asked("Image not typical for osteoporosis?")] = Answer.UNKNOWN

    def __post_init__(self) -> None:
        """Refuse a contradiction: OF5 means unstable."""
        if self.of_type == OF_UNSTABLE and self.unstable is Answer.NO:
            raise ValueError("injury.of_type 5 means unstable, injury.unstable says no: mend one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mri:
    """Magnetic resonance imaging, or another proof that the fracture is not healed."""

    on: Annotated[date | None, Asked("Day of the MRI")] = None
    edema_at: Annotated[
        tuple[Level, ...] | None, Asked("Levels with marrow edema (STIR) or uptake")
    ] = None
    cleft_at: Annotated[tuple[Level, ...] | None, Asked("Levels with a cleft")] = None
    cord_compressed: Annotated[Answer, Asked("Cord or cauda equina compressed?")] = Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Tumour:
    """Only where a tumour is the cause."""

    escc: Annotated[
        int | None, Asked("Epidural spinal cord compression grade (ESCC)", unit="1", low=0, high=3)
    ] = None
    many: Annotated[Answer, Asked("More than five metastases of the spine, or diffuse?")] = (
        Answer.UNKNOWN
    )
    lesion: Annotated[Lesion, Asked("Lytic, mixed or blastic")] = Lesion.UNKNOWN
    alignment: Annotated[Alignment, Asked("Alignment")] = Alignment.UNKNOWN
    posterolateral: Annotated[Involvement, Asked("Posterolateral elements taken")] = (
        Involvement.UNKNOWN
    )
    half_of_body: Annotated[Answer, Asked("More than half of the body taken by tumour?")] = (
        Answer.UNKNOWN
    )
    agreed: Annotated[
        Answer, Asked("Oncologist, radiologist and spine surgeon agree on augmentation?")
    ] = Answer.UNKNOWN
    excluded: Annotated[Answer, Asked("Osteosarcoma or solitary plasmacytoma at the level?")] = (
        Answer.UNKNOWN
    )
    months_to_live: Annotated[
        float | None, Asked("Life expectancy", unit="months", low=0, high=600)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where the patient lives and where it would be done."""

    inpatient: Annotated[Answer, Asked("In hospital already, or transferred from one?")] = (
        Answer.UNKNOWN
    )
    lives_alone: Annotated[Answer, Asked("Lives alone?")] = Answer.UNKNOWN
    escort: Annotated[Answer, Asked("Somebody who takes the patient home and stays for 24 h?")] = (
        Answer.UNKNOWN
    )
    site_ready: Annotated[
        Answer, Asked("Can the site do emergency decompression and resuscitation?")
    ] = Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """All that the record says; `None` and ``unknown`` stand for what it does not say.

    Attributes
    ----------
    assessed_on : the day for which the record is true; all intervals are counted back from it.
    medicines : None if nobody asked; empty if the patient takes none.

    Examples
    --------
    >>> Patient().neurology.bladder
    <Answer.UNKNOWN: 'unknown'>
    """

    assessed_on: Annotated[date | None, Asked("Day of this record")] = None
    identity: Identity = field(default_factory=Identity)
    age_years: Annotated[float | None, Asked("Age", unit="years", low=0, high=120)] = None
    sex: Annotated[Sex, Asked("Sex")] = Sex.UNKNOWN
    weight_kg: Annotated[
        float | None, Asked("Weight", unit="kg", low=20, high=350, others={"lb": 0.45359237})
    ] = None
    height_cm: Annotated[
        float | None, Asked("Height", unit="cm", low=80, high=230, others={"m": 100.0, "in": 2.54})
    ] = None
    asa: Annotated[
        int | None, Asked("ASA class, as the anesthesiologist gave it", unit="1", low=1, high=6)
    ] = None
    pregnancy: Annotated[Pregnancy, Asked("Pregnancy")] = Pregnancy.UNKNOWN
    t_score: Annotated[
        float | None, Asked("Lowest T-score of bone density", unit="1", low=-8, high=6)
    ] = None
    levels_planned: Annotated[tuple[Level, ...] | None, Asked("Levels that are asked about")] = (
        None
    )
    pain: Pain = field(default_factory=Pain)
    care: Care = field(default_factory=Care)
    function: Function = field(default_factory=Function)
    neurology: Neurology = field(default_factory=Neurology)
    infection: Infection = field(default_factory=Infection)
    allergies: Allergies = field(default_factory=Allergies)
    laboratory: Laboratory = field(default_factory=Laboratory)
    medicines: Annotated[
        tuple[Medicine, ...] | None, Asked("Medicines; an empty list means none")
    ] = None
    heart: Heart = field(default_factory=Heart)
    lungs: Lungs = field(default_factory=Lungs)
    conditions: Conditions = field(default_factory=Conditions)
    injury: Injury = field(default_factory=Injury)
    mri: Mri = field(default_factory=Mri)
    tumour: Tumour = field(default_factory=Tumour)
    circumstances: Circumstances = field(default_factory=Circumstances)

    @property
    def bmi(self) -> float | None:
        """Body mass index [kg/m2]."""
        if self.weight_kg is None or self.height_cm is None:
            return None
        return self.weight_kg / (self.height_cm / 100.0) ** 2

    def days_since(self, day: date | None) -> int | None:
        """Return the days from ``day`` to the day of the record; None if either is not known."""
        if day is None or self.assessed_on is None:
            return None
        return (self.assessed_on - day).days
