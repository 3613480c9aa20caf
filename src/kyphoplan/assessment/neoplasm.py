"""Rules for a bone broken by a tumour, or by a cause that is not known."""

from kyphoplan.assessment.canal import back_wall_broken
from kyphoplan.assessment.facts import Facts, Told, any_told, known, unknown
from kyphoplan.assessment.item import item
from kyphoplan.assessment.neurology import CORD_COMPRESSED_ESCC, epidural, touched, tumour
from kyphoplan.assessment.sins import UNCERTAIN, UNSTABLE, sins_of
from kyphoplan.case import Answer, Step, Verdict
from kyphoplan.case.terms import Cause

APPROPRIATE_LOSS_PCT = 80.0  # [%] NEO-2, NASSneo (S)
APPROPRIATE_PAIN = 6.0  # [VAS] NEO-2, NASSneo (S)
YOUNG_YEARS = 50  # [years] NEO-4 (P)
STEP = Step.RELATIVE


def _sins_at_least(facts: Facts, limit: int) -> Told:
    score = sins_of(facts)
    words = f"SINS {score.low:g} to {score.high:g}"
    if score.low >= limit or score.high < limit:
        return known(score.low >= limit, words)
    return Told(Answer.UNKNOWN, words, score.missing)


@item(
    "NEO-1", STEP, Verdict.MDT_REVIEW, limit=f"SINS {UNCERTAIN} or more", cite=("Fisher2010",),
    provenance="M", change="a spine surgeon finds the spine stable",
)  # fmt: skip
def maybe_unstable(facts: Facts) -> Told:
    """A tumour may have made the spine unstable: a spine surgeon is asked."""
    return tumour(facts) & _sins_at_least(facts, UNCERTAIN)


@item(
    "NEO-1/unstable", STEP, Verdict.NOT_CANDIDATE, limit=f"SINS {UNSTABLE} or more",
    cite=("Fisher2010",), provenance="M", change="the spine is fixed",
)  # fmt: skip
def unstable(facts: Facts) -> Told:
    """A tumour has made the spine unstable: not with balloon and cement alone."""
    return tumour(facts) & _sins_at_least(facts, UNSTABLE)


@item(
    "NEO-2", Step.NOTES, Verdict.INFO,
    limit=f"nerves sound, stable, height loss below {APPROPRIATE_LOSS_PCT:g} %, back wall whole, "
    f"pain above {APPROPRIATE_PAIN:g}",
    cite=("NASSneo",), provenance="S", change="",
)  # fmt: skip
def rated_appropriate(facts: Facts) -> Told:
    """Experts rated cement for such a patient appropriate (probability 88 %)."""
    strength = facts.patient.pain.strength
    hurts = (
        unknown("pain.nrs")
        if strength is None
        else known(strength > APPROPRIATE_PAIN, f"pain {strength:g} of 10")
    )
    against = any_told(
        touched(facts),
        facts.says("injury.unstable"),
        facts.measured("height_loss", lambda m: (m.high or 0.0) >= APPROPRIATE_LOSS_PCT),
        back_wall_broken(facts),
    )
    return tumour(facts) & ~against & hurts


@item(
    "NEO-3", STEP, Verdict.EMERGENCY_REFER, limit=f"ESCC {CORD_COMPRESSED_ESCC} or 3", cite=(),
    provenance="M", change="the cord is freed",
)  # fmt: skip
def cord_pressed_by_tumour(facts: Facts) -> Told:
    """Tumour presses on the cord: not with balloon and cement alone."""
    return epidural(facts, CORD_COMPRESSED_ESCC)


@item(
    "CI-R4", STEP, Verdict.MDT_REVIEW, limit="ESCC 1 or more", cite=("ACRpp2017", "CIRSE2017"),
    provenance="M", change="an MRI that shows no tumour in the canal",
)  # fmt: skip
def epidural_tumour(facts: Facts) -> Told:
    """Tumour has grown into the canal."""
    return epidural(facts, 1)


@item(
    "CI-R12", STEP, Verdict.MDT_REVIEW, limit="more than 5, or diffuse", cite=("CIRSE2017",),
    provenance="M", change="an oncologist's word",
)  # fmt: skip
def many_metastases(facts: Facts) -> Told:
    """Many metastases of the spine."""
    return tumour(facts) & facts.says("tumour.many")


@item(
    "NEO-4", STEP, Verdict.MDT_REVIEW,
    limit=f"cause not known, with: age below {YOUNG_YEARS}, cancer, strange image, weight loss",
    cite=(), provenance="P", change="a biopsy, taken with the procedure or before it",
)  # fmt: skip
def cause_suspect(facts: Facts) -> Told:
    """Why the bone broke is not known, and a tumour is possible: biopsy or work-up first."""
    cause_unknown = facts.patient.injury.cause is Cause.UNKNOWN
    suspect = any_told(
        facts.number("age_years", lambda age: age < YOUNG_YEARS, "years"),
        facts.any("conditions.cancer", "injury.atypical", "conditions.constitutional"),
    )
    return known(cause_unknown, f"cause: {facts.patient.injury.cause}") & suspect


@item(
    "NEO-5", STEP, Verdict.MDT_REVIEW, limit="oncologist, radiologist and surgeon agree",
    cite=("IPG166",), provenance="S", change="all three agree",
)  # fmt: skip
def team_not_agreed(facts: Facts) -> Told:
    """A tumour is the cause, and oncologist, radiologist and spine surgeon have not yet agreed."""
    return tumour(facts) & ~facts.says("tumour.agreed")


OF_PATIENT = (
    cord_pressed_by_tumour,
    epidural_tumour,
    many_metastases,
    cause_suspect,
    team_not_agreed,
)
OF_LEVEL = (maybe_unstable, unstable, rated_appropriate)
