"""Contraindications: those that rule it out, and those that a specialist must weigh."""

from kyphoplan.assessment.facts import Facts, Told, counted, known, may_exceed
from kyphoplan.assessment.item import item
from kyphoplan.assessment.trauma import OPERATIVE_MIN, tlics_of
from kyphoplan.case import Answer, Step, Verdict
from kyphoplan.case.patient import OF_UNSTABLE
from kyphoplan.case.terms import Cause, Pregnancy, Sex

ADULT_YEARS = 18  # [years] CI-A10, Hirsch2018 (S)
LEVELS_MAX = 3  # [levels] IN-09 (S), CI-R5 (S2)
HARD_LOSS_PCT = 70.0  # [%] CI-R7, CIRSE2017 (M)
PLANA_LOSS_PCT = 80.0  # [%] CI-R7, NASSneo (S)
MARGIN_MM = 1.0  # [mm] each side of the cannula in the pedicle, CI-R11 (P)
CANNULA_MM = 3.4  # [mm] outer diameter of 10G, CI-R11 (M)
ABSOLUTE, RELATIVE = Step.ABSOLUTE, Step.RELATIVE


@item(
    "CI-A1", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="yes", cite=("ACRpp2017", "LCD"),
    provenance="S2", change="the infection has been treated and is gone",
)  # fmt: skip
def systemic_infection(facts: Facts) -> Told:
    """An infection of the whole body is active."""
    return facts.says("infection.systemic")


@item(
    "CI-A2", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="yes", cite=("LCD", "IFU-KX"),
    provenance="S", change="the infection has been treated and is gone",
)  # fmt: skip
def local_infection(facts: Facts) -> Told:
    """The vertebra, a disc or the skin there is infected."""
    return facts.says("infection.local")


@item(
    "CI-A3", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="cannot be corrected",
    cite=("ACRpp2017", "IFU-KX"), provenance="S2", change="a way is found to correct it",
)  # fmt: skip
def uncorrectable_bleeding(facts: Facts) -> Told:
    """Bleeding disorder that cannot be corrected."""
    return facts.says("laboratory.uncorrectable")


@item(
    "CI-A4", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="severe", cite=("ACRpp2017", "IFU-KX", "LCD"),
    provenance="S2", change="an allergist rules the allergy out",
)  # fmt: skip
def cement_allergy(facts: Facts) -> Told:
    """Severe allergy to bone cement (PMMA). The coverage rules call it relative; the stricter
    reading is used.
    """
    return facts.says("allergies.pmma")


@item(
    "CI-A5", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="severe, no other medium agreed",
    cite=("IFU-KX",), provenance="S", change="another medium for the balloon is agreed",
)  # fmt: skip
def contrast_allergy(facts: Facts) -> Told:
    """Severe allergy to the contrast medium in the balloon."""
    return facts.says("allergies.contrast") & ~facts.says("allergies.other_medium")


@item(
    "CI-A5/medium", RELATIVE, Verdict.MDT_REVIEW, limit="severe, another medium agreed",
    cite=("IFU-KX",), provenance="S", change="an allergist rules the allergy out",
)  # fmt: skip
def other_medium(facts: Facts) -> Told:
    """Severe allergy to contrast medium, another medium is agreed: the team confirms it."""
    return facts.says("allergies.contrast")


@item(
    "CI-A6", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="yes", cite=("LCD",), provenance="S2",
    change="the pregnancy is over",
)  # fmt: skip
def pregnant(facts: Facts) -> Told:
    """The patient is pregnant."""
    if facts.patient.sex is Sex.MALE and facts.patient.pregnancy is Pregnancy.UNKNOWN:
        return known(False, "sex: male")
    return facts.among("pregnancy", Pregnancy.YES)


@item(
    "CI-A7", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="no", cite=("LCD",), provenance="S2",
    change="examination shows that the fracture is what hurts",
)  # fmt: skip
def other_pain(facts: Facts) -> Told:
    """The pain does not come mainly from the fracture."""
    return ~facts.says("pain.from_fracture")


@item(
    "CI-A8", ABSOLUTE, Verdict.NOT_CANDIDATE,
    limit=f"OF5, AO B or C, or TLICS {OPERATIVE_MIN} or more",
    cite=("CIRSE2017", "AOcard"), provenance="M",
    change="a surgeon finds the injury stable",
)  # fmt: skip
def unstable_injury(facts: Facts) -> Told:
    """The injury is unstable: not with balloon and cement alone; fixation is to be weighed."""
    if facts.patient.injury.of_type == OF_UNSTABLE:
        return known(True, f"injury.of_type: {OF_UNSTABLE}")
    return facts.says("injury.unstable") | _tlics_operative(facts)


def _tlics_operative(facts: Facts) -> Told:
    """Return whether the TLICS of an injury by force asks for an operation."""
    score = tlics_of(facts.patient)
    sure = score.low >= OPERATIVE_MIN or score.high < OPERATIVE_MIN
    words = f"TLICS {score.low:g} to {score.high:g}"
    told = known(score.low >= OPERATIVE_MIN, words)
    operative = told if sure else Told(Answer.UNKNOWN, words, score.missing)
    return facts.among("injury.cause", Cause.TRAUMA) & operative


@item(
    "CI-A9", ABSOLUTE, Verdict.NOT_CANDIDATE, limit="no pain", cite=("CIRSE2017",),
    provenance="M", change="the fracture begins to hurt",
)  # fmt: skip
def painless(facts: Facts) -> Told:
    """The fracture does not hurt."""
    strength = facts.patient.pain.strength
    if strength is None:
        return facts.number("pain.nrs", lambda nrs: nrs <= 0.0)
    return known(strength <= 0.0, f"pain {strength:g} of 10")


@item(
    "CI-A10", ABSOLUTE, Verdict.NOT_CANDIDATE, limit=f"younger than {ADULT_YEARS} years",
    cite=("Hirsch2018",), provenance="S", change="nothing in this program",
)  # fmt: skip
def child(facts: Facts) -> Told:
    """The patient is not grown up."""
    return facts.number("age_years", lambda age: age < ADULT_YEARS, "years")


@item(
    "CI-R3", RELATIVE, Verdict.MDT_REVIEW, limit="yes", cite=("ACRpp2017",), provenance="M",
    change="a surgeon's word that the fracture explains it",
)  # fmt: skip
def radicular(facts: Facts) -> Told:
    """Pain along a nerve root exceeds the back pain."""
    return facts.says("pain.radicular")


@item(
    "CI-R5", RELATIVE, Verdict.MDT_REVIEW, limit=f"more than {LEVELS_MAX} levels",
    cite=("LCD", "Wardlaw2009", "Berenson2011", "Dohm2014"), provenance="S,S2",
    change="fewer levels, or more than one session",
)  # fmt: skip
def too_many_levels(facts: Facts) -> Told:
    """More levels than trials treated in one session."""
    count = len(facts.levels)
    return known(count > LEVELS_MAX, counted(count))


@item(
    "CI-R6", RELATIVE, Verdict.MDT_REVIEW, limit="yes", cite=("LCD",), provenance="S2",
    change="a surgeon finds the spine stable",
)  # fmt: skip
def unstable_spine(facts: Facts) -> Told:
    """The spine is unstable."""
    return facts.says("injury.unstable")


@item(
    "CI-R7", RELATIVE, Verdict.MDT_REVIEW, limit=f"height loss above {HARD_LOSS_PCT:g} %",
    cite=("CIRSE2017",), provenance="M", change="images that show room for the cannula",
)  # fmt: skip
def hardly_any_body(facts: Facts) -> Told:
    """So little of the body is left that a needle is hard to place."""
    return facts.measured("height_loss", may_exceed(HARD_LOSS_PCT))


@item(
    "CI-R7/plana", Step.ANATOMY, Verdict.NOT_CANDIDATE,
    limit=f"height loss above {PLANA_LOSS_PCT:g} %", cite=("NASSneo",), provenance="S",
    change="images that show room for the cannula",
)  # fmt: skip
def vertebra_plana(facts: Facts) -> Told:
    """The body is flat (vertebra plana)."""
    return facts.measured("height_loss", lambda m: (m.value or 0.0) > PLANA_LOSS_PCT)


@item(
    "CI-R8", RELATIVE, Verdict.MDT_REVIEW, limit="yes", cite=("CIRSE2017",), provenance="M",
    change="a way through the other side, or beside the pedicle",
)  # fmt: skip
def broken_pedicle(facts: Facts) -> Told:
    """Pedicle or posterior arch is broken on the side of entry."""
    return facts.says("injury.posterior_fracture")


@item(
    "CI-R9", RELATIVE, Verdict.MDT_REVIEW, limit="severe", cite=(), provenance="M",
    change="the anesthesiologist agrees",
)  # fmt: skip
def heart_or_lung(facts: Facts) -> Told:
    """Severe heart or lung disease: lying prone or an embolus of cement may harm."""
    return facts.says("lungs.severe") | ~facts.says("function.lies_prone")


@item(
    "CI-R11", Step.ANATOMY, Verdict.NOT_CANDIDATE,
    limit=f"both pedicles narrower than {CANNULA_MM + 2 * MARGIN_MM:g} mm", cite=(),
    provenance="P", change="a thinner cannula, or a way beside the pedicle",
)  # fmt: skip
def narrow_pedicles(facts: Facts) -> Told:
    """No pedicle is wide enough for the cannula and its margin."""
    least = CANNULA_MM + 2.0 * MARGIN_MM
    left, right = (
        facts.measured(f"{side}_pedicle_width", lambda m: (m.value or 0.0) < least)
        for side in ("left", "right")
    )
    return left & right


@item(
    "CI-R13", RELATIVE, Verdict.MDT_REVIEW, limit="yes", cite=("Hirsch2018",), provenance="S",
    change="an account of the injury that shows low energy",
)  # fmt: skip
def high_energy(facts: Facts) -> Told:
    """High energy broke the bone: judge it as an injury (TLICS, AO), not as a fragility
    fracture.
    """
    return facts.says("injury.high_energy") | facts.among("injury.cause", Cause.TRAUMA)


OF_PATIENT_ABSOLUTE = (
    systemic_infection,
    local_infection,
    uncorrectable_bleeding,
    cement_allergy,
    contrast_allergy,
    pregnant,
    other_pain,
    unstable_injury,
    painless,
    child,
)
OF_PATIENT_RELATIVE = (
    other_medium,
    radicular,
    too_many_levels,
    unstable_spine,
    broken_pedicle,
    heart_or_lung,
    high_energy,
)
OF_LEVEL = (vertebra_plana, narrow_pedicles, hardly_any_body)
