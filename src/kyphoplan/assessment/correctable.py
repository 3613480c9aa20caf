"""What must be put right first: bleeding, recent heart or brain events, infection, the site."""

from kyphoplan.assessment.facts import Facts, Told, any_told, known, unknown
from kyphoplan.assessment.frailty import clearance_ml_per_min
from kyphoplan.assessment.item import item
from kyphoplan.assessment.medicines import UNRECOGNISED, Kind, recognise, takes
from kyphoplan.case import Answer, Step, Verdict
from kyphoplan.case.terms import Pregnancy, Sex, Stent

INR_MAX = 1.8  # [1] AC-1, Patel2019 (S)
PLATELETS_MIN = 50.0  # [10^9/L] AC-2, Patel2019 (S)
INFARCTION_DAYS = 60.0  # [days] RD-1, Thompson2024 (M)
STROKE_DAYS = 3 * 30.4  # [days] RD-2, three months, Jorgensen2014 (M)
STENT_DAYS = 6 * 30.4  # [days] RD-3, six months, stable disease, Thompson2024 (M)
STENT_ACUTE_DAYS = 12 * 30.4  # [days] RD-3, twelve months, acute syndrome, Thompson2024 (M)
STEP = Step.CORRECTABLE


@item(
    "AC-1", STEP, Verdict.DEFER, limit=f"INR above {INR_MAX:g}", cite=("Patel2019",),
    provenance="S", change=f"an INR of {INR_MAX:g} or less (the aim is 1.5 to 1.8)",
)  # fmt: skip
def high_inr(facts: Facts) -> Told:
    """The blood clots too slowly: to be corrected first."""
    return facts.number("laboratory.inr", lambda inr: inr > INR_MAX)


@item(
    "AC-2", STEP, Verdict.DEFER, limit=f"platelets below {PLATELETS_MIN:g} x 10^9/L",
    cite=("Patel2019",), provenance="S", change=f"{PLATELETS_MIN:g} x 10^9/L or more",
)  # fmt: skip
def few_platelets(facts: Facts) -> Told:
    """Too few platelets: to be corrected first; transfusion may be considered."""
    return facts.number(
        "laboratory.platelets_e9_per_l", lambda count: count < PLATELETS_MIN, "x 10^9/L"
    )


@item(
    "AC-5", STEP, Verdict.MDT_REVIEW, limit="any one",
    cite=("Patel2019",), provenance="S", change="prescriber and team agree on a plan",
)  # fmt: skip
def clot_danger(facts: Facts) -> Told:
    """A clot is a great danger for this patient: a plan by all who treat the patient; a medicine
    against clots is never stopped alone.
    """
    return any_told(
        facts.says("heart.valve"),
        facts.says("heart.clot_recent"),
        _recent_stroke(facts),
        _recent_stent(facts),
    )


@item(
    "AC-6", STEP, Verdict.DEFER,
    limit="INR of the same day with warfarin; clearance with a direct anticoagulant",
    cite=(), provenance="P", change="the value",
)  # fmt: skip
def clotting_not_known(facts: Facts) -> Told:
    """How far the medicine still works is not known."""
    warfarin, direct = takes(facts, Kind.VITAMIN_K), takes(facts, Kind.DIRECT)
    today = facts.patient.days_since(facts.patient.laboratory.inr_on) == 0
    inr = known(False, "INR of the day") if today else unknown("laboratory.inr_on")
    if facts.patient.laboratory.inr is None:
        inr = unknown("laboratory.inr")
    cleared = clearance_ml_per_min(facts.patient) is not None
    clearance = (
        known(False, "clearance known") if cleared else unknown("laboratory.creatinine_mg_per_dl")
    )
    return (warfarin & inr) | (direct & clearance)


def _recent_stroke(facts: Facts) -> Told:
    return facts.within(STROKE_DAYS, facts.says("heart.stroke"), "heart.stroke_on")


def _recent_stent(facts: Facts) -> Told:
    stented = facts.among("heart.stent", Stent.DRUG_ELUTING, Stent.BARE_METAL)
    stable = facts.within(STENT_DAYS, stented, "heart.stent_on")
    acute = facts.within(STENT_ACUTE_DAYS, stented, "heart.stent_on")
    return stable | (acute & facts.says("heart.stent_acute"))


@item(
    "RD-1", STEP, Verdict.DEFER, limit=f"less than {INFARCTION_DAYS:g} days",
    cite=("Thompson2024",), provenance="M", change="time, and a cardiologist's word",
)  # fmt: skip
def recent_infarction(facts: Facts) -> Told:
    """A heart attack not long ago: a cardiologist decides."""
    return facts.within(INFARCTION_DAYS, facts.says("heart.infarction"), "heart.infarction_on")


@item(
    "RD-2", STEP, Verdict.DEFER, limit="less than 3 months",
    cite=("Jorgensen2014", "Thompson2024"),
    provenance="M", change="time, and a neurologist's word",
)  # fmt: skip
def recent_stroke(facts: Facts) -> Told:
    """A stroke or TIA not long ago."""
    return _recent_stroke(facts)


@item(
    "RD-3", STEP, Verdict.DEFER,
    limit="less than 6 months, or 12 after an acute syndrome, and an antiplatelet medicine",
    cite=("Thompson2024",), provenance="M", change="a cardiologist's word; never stop it alone",
)  # fmt: skip
def recent_stent(facts: Facts) -> Told:
    """A stent not long ago: a cardiologist decides whether the antiplatelet medicine may stop."""
    return _recent_stent(facts) & takes(facts, Kind.ANTIPLATELET)


@item(
    "RD-4", STEP, Verdict.DEFER, limit="any one", cite=("Thompson2024",), provenance="M",
    change="the heart is treated and steady",
)  # fmt: skip
def unstable_heart(facts: Facts) -> Told:
    """The heart is not steady: angina, failure, block or a tight valve."""
    return facts.says("heart.unstable")


@item(
    "RD-11", STEP, Verdict.DEFER, limit="possible", cite=("LCD",), provenance="P",
    change="a negative pregnancy test",
)  # fmt: skip
def pregnancy_test(facts: Facts) -> Told:
    """Pregnancy is possible: a test before any X-ray."""
    if facts.patient.sex is Sex.MALE and facts.patient.pregnancy is Pregnancy.UNKNOWN:
        return known(False, "sex: male")
    return facts.among("pregnancy", Pregnancy.POSSIBLE)


@item(
    "RF-9", STEP, Verdict.DEFER, limit="any one", cite=(), provenance="M",
    change="infection of the spine is ruled out",
)  # fmt: skip
def infection_likely(facts: Facts) -> Told:
    """Signs of infection, or a reason for one: rule out an infection of the spine first."""
    return facts.any("infection.fever", "infection.susceptible", "infection.markers")


@item(
    "CI-R10", STEP, Verdict.DEFER, limit="no", cite=("IPG166", "IFU-StabiliT", "CIRSE2017"),
    provenance="S", change="a site that can",
)  # fmt: skip
def site_not_ready(facts: Facts) -> Told:
    """The site cannot do emergency decompression and resuscitation."""
    return ~facts.says("circumstances.site_ready")


@item(
    "AC-H", STEP, Verdict.WARN, limit="a medicine against clots",
    cite=("Patel2019", "Narouze2018"),
    provenance="M", change="prescriber and team agree when to stop and when to start again",
)  # fmt: skip
def hold_to_agree(facts: Facts) -> Told:
    """A medicine against clots: when it stops and starts again is agreed with its prescriber.
    Kyphoplasty stands in the lists of high bleeding risk.
    """
    return takes(facts, Kind.ANTICOAGULANT, Kind.ANTIPLATELET)


@item(
    "AC-U", STEP, Verdict.DEFER, limit="every medicine recognised", cite=(), provenance="P",
    change="the right name of the medicine",
)  # fmt: skip
def unrecognised_medicine(facts: Facts) -> Told:
    """A medicine was not recognised: check what it is."""
    medicines = facts.patient.medicines
    if medicines is None:
        return unknown("medicines")
    strange = [m.name for m in medicines if not recognise(m.name).generic]
    if not strange:
        return known(False, "all medicines recognised")
    names = ", ".join(strange)
    return Told(
        Answer.UNKNOWN, f"{UNRECOGNISED}: {names}", tuple(f"medicines: {n}" for n in strange)
    )


OF_PATIENT = (
    high_inr,
    few_platelets,
    clot_danger,
    clotting_not_known,
    recent_infarction,
    recent_stroke,
    recent_stent,
    unstable_heart,
    pregnancy_test,
    infection_likely,
    site_not_ready,
    hold_to_agree,
    unrecognised_medicine,
)
