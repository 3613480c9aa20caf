"""Whether there is a reason to treat: pain, its level, its age, and care without operation."""

from collections.abc import Sequence

from kyphoplan.assessment.facts import Facts, Told, any_told, exceeds, known, unknown
from kyphoplan.assessment.item import item
from kyphoplan.assessment.neurology import tumour
from kyphoplan.case import Answer, Level, Step, Verdict
from kyphoplan.case.terms import Trend

PAIN_HOSPITAL = 8.0  # [NRS] IN-04, LCD (S2)
PAIN_HOME = 5.0  # [NRS] IN-05, LCD and Hirsch2018 (S2)
CHRONIC_WEEKS = 12.0  # [weeks] IN-03, LCD (S2)
EARLY_WEEKS = 7.0  # [weeks] IN-14, Papanastassiou2012 (S)
STRUCTURE_LOSS_PCT = 25.0  # [%] IN-06, LCD (S2)
STRUCTURE_RDQ = 17  # [points] IN-06, LCD (S2)
STRUCTURE_COBB_DEG = 15.0  # [deg] kyphotic deformity, FractureScout (S2)
STRUCTURE_COUNT = 2  # [items] IN-06, LCD (S2)
CANCER_PAIN = 4.0  # [NRS] IN-12, CAFE (S)
CANCER_RDQ = 10  # [points] IN-12, CAFE (S)
CANCER_MONTHS = 3.0  # [months] IN-12, CAFE (S)
TRIAL_LEVELS = (Level.T5, Level.L5)  # IN-08, Dohm2014 and CAFE (S)
COVERED_LEVELS = (Level.T1, Level.L5)  # IN-08, LCD (S)
STEP = Step.INDICATION


def pain_at_least(facts: Facts, limit: float) -> Told:
    """Return whether the pain reaches a strength from 0 to 10."""
    strength = facts.patient.pain.strength
    if strength is None:
        return unknown("pain.nrs")
    return known(strength >= limit, f"pain {strength:g} of 10")


def _listed(facts: Facts, path: str, words: str) -> Told:
    levels: Sequence[Level] | None = facts.field(path)
    if levels is None:
        return unknown(path)
    names = ", ".join(map(str, levels)) or "none"
    return known(facts.level in levels, f"{words}: {names}")


def fractured(facts: Facts) -> Told:
    """Return whether the images show the vertebra broken: by its shape, or edema on MRI."""
    if facts.figures is None or facts.figures.genant.grade is None:
        shape = unknown("image: height loss")
    else:
        grade = int(facts.figures.genant.grade)
        shape = known(facts.figures.fractured, f"Genant grade {grade}")
    return shape | _listed(facts, "mri.edema_at", "edema on MRI at")


def unhealed(facts: Facts) -> Told:
    """Return whether the fracture is proven not healed: edema, uptake, or a cleft."""
    return any_told(
        _listed(facts, "mri.edema_at", "edema on MRI at"),
        _listed(facts, "mri.cleft_at", "cleft on MRI at"),
        facts.measured("cleft_volume", exceeds(0.0)),
    )


@item(
    "IN-01", STEP, Verdict.NOT_CANDIDATE, limit="pain on examination, fracture on the image",
    cite=("TA279",), provenance="S", change="examination and image agree on this level",
)  # fmt: skip
def pain_elsewhere(facts: Facts) -> Told:
    """Examination and image do not both point to this level."""
    return ~(_listed(facts, "pain.at_levels", "tender at") & fractured(facts))


@item(
    "IN-02", STEP, Verdict.NOT_CANDIDATE, limit="edema, uptake or cleft",
    cite=("TA279", "Hirsch2018", "LCD"), provenance="S",
    change="an MRI (STIR) or bone scan; CT alone cannot tell how old a fracture is",
)  # fmt: skip
def healed(facts: Facts) -> Told:
    """Nothing shows that the fracture has not healed."""
    return ~unhealed(facts)


@item(
    "IN-03", STEP, Verdict.MDT_REVIEW, limit=f"more than {CHRONIC_WEEKS:g} weeks",
    cite=("LCD", "FractureScout"), provenance="S2", change="a newer fracture",
)  # fmt: skip
def chronic(facts: Facts) -> Told:
    """The fracture is old (chronic): trials of treatment mostly stopped at three months."""
    return _weeks(facts, CHRONIC_WEEKS)


def _weeks(facts: Facts, limit: float) -> Told:
    days = facts.patient.days_since(facts.patient.pain.onset)
    if days is None:
        return unknown("pain.onset")
    return known(days / 7.0 > limit, f"pain for {days / 7.0:.1f} weeks")


@item(
    "IN-04", STEP, Verdict.NOT_CANDIDATE, limit=f"in hospital: pain {PAIN_HOSPITAL:g} or more",
    cite=("LCD",), provenance="S2", change="more pain, in spite of treatment",
)  # fmt: skip
def little_pain_in_hospital(facts: Facts) -> Told:
    """In hospital, and the pain is below the limit: not at this strength of pain."""
    return facts.says("circumstances.inpatient") & ~pain_at_least(facts, PAIN_HOSPITAL)


@item(
    "IN-05", STEP, Verdict.NOT_CANDIDATE, limit=f"at home: pain {PAIN_HOME:g} or more",
    cite=("LCD", "Hirsch2018"), provenance="S2", change="more pain, in spite of treatment",
)  # fmt: skip
def little_pain_at_home(facts: Facts) -> Told:
    """The pain is below the limit: not at this strength of pain."""
    return ~facts.says("circumstances.inpatient") & ~pain_at_least(facts, PAIN_HOME)


@item(
    "IN-05/care", STEP, Verdict.DEFER, limit="the best care without operation, or it failed",
    cite=("TA279", "Baerlocher2014"), provenance="S,S2",
    change="pain that stays severe under the best care, or care that cannot be borne",
)  # fmt: skip
def care_not_tried(facts: Facts) -> Told:
    """Treatment without operation has not been given its chance."""
    return ~(facts.says("care.optimal") | facts.says("care.failed"))


@item(
    "IN-06", STEP, Verdict.MDT_REVIEW,
    limit=f"pain worse, or pain {PAIN_HOME:g} with {STRUCTURE_COUNT} of: deformity growing, "
    f"height loss above {STRUCTURE_LOSS_PCT:g} %, kyphosis, RDQ above {STRUCTURE_RDQ}",
    cite=("LCD",), provenance="S2", change="pain or deformity that grows",
)  # fmt: skip
def steady(facts: Facts) -> Told:
    """Neither pain nor shape gets worse, as the coverage rules ask: the team weighs it."""
    worse = facts.among("pain.trend", Trend.WORSE)
    signs = (
        facts.says("injury.progressing"),
        facts.measured("height_loss", lambda m: (m.value or 0.0) > STRUCTURE_LOSS_PCT),
        _kyphotic(facts),
        facts.number("function.rdq", lambda rdq: rdq > STRUCTURE_RDQ),
    )
    enough = _at_least(STRUCTURE_COUNT, signs)
    return ~(worse | (pain_at_least(facts, PAIN_HOME) & enough))


def _kyphotic(facts: Facts) -> Told:
    """Return whether the spine is bent over this level, by the largest angle across it."""
    angles = [
        span.cobb
        for span in (facts.measurements.kyphosis if facts.measurements else ())
        if facts.level is not None and span.upper < facts.level < span.lower
    ]
    values = [angle.value for angle in angles if angle.value is not None]
    if not values:
        return unknown("image: kyphosis")
    return known(max(values) >= STRUCTURE_COBB_DEG, f"kyphosis {max(values):.0f} deg")


def _at_least(count: int, signs: Sequence[Told]) -> Told:
    """Return whether so many of the answers are yes."""
    yes = [told for told in signs if told.answer is Answer.YES]
    open_ones = [told for told in signs if told.answer is Answer.UNKNOWN]
    words = ", ".join(told.fact for told in yes) or "none of the signs"
    if len(yes) >= count or len(yes) + len(open_ones) < count:
        return known(len(yes) >= count, words)
    return Told(Answer.UNKNOWN, words, tuple(n for told in open_ones for n in told.missing))


@item(
    "IN-07", Step.NOTES, Verdict.INFO, limit="yes", cite=("Baerlocher2014",), provenance="S2",
    change="",
)  # fmt: skip
def care_failed(facts: Facts) -> Told:
    """Medicines failed as the radiologists' society defines it: this speaks for earlier
    treatment.
    """
    return facts.says("care.failed")


@item(
    "IN-08", Step.NOTES, Verdict.WARN,
    limit=f"{TRIAL_LEVELS[0]} to {TRIAL_LEVELS[1]} in the trials",
    cite=("LCD", "Dohm2014", "CAFE-CT.gov"), provenance="S", change="another level",
)  # fmt: skip
def outside_trials(facts: Facts) -> Told:
    """The trials did not treat this level."""
    return _outside(facts, TRIAL_LEVELS)


@item(
    "IN-08/scope", STEP, Verdict.NOT_CANDIDATE,
    limit=f"{COVERED_LEVELS[0]} to {COVERED_LEVELS[1]}", cite=("LCD",), provenance="S",
    change="another level",
)  # fmt: skip
def out_of_scope(facts: Facts) -> Told:
    """Balloon kyphoplasty is not for this level."""
    return _outside(facts, COVERED_LEVELS)


def _outside(facts: Facts, ends: tuple[Level, Level]) -> Told:
    level = facts.level
    assert level is not None  # asked for levels only
    return known(not ends[0] <= level <= max(ends[1], Level.L6), f"level {level}")


@item(
    "IN-10", STEP, Verdict.NOT_CANDIDATE, limit="better", cite=("ACRpp2017", "CIRSE2017"),
    provenance="M", change="the pain stops getting better",
)  # fmt: skip
def improving(facts: Facts) -> Told:
    """The pain gets better without operation: not now."""
    return facts.among("pain.trend", Trend.BETTER)


@item(
    "IN-11", STEP, Verdict.NOT_CANDIDATE, limit="not broken", cite=("ACRpp2017",), provenance="M",
    change="an image that shows a fracture",
)  # fmt: skip
def prophylactic(facts: Facts) -> Told:
    """The vertebra is not broken: cement is not put in to prevent a fracture."""
    return ~fractured(facts)


@item(
    "IN-12", Step.NOTES, Verdict.WARN,
    limit=f"pain {CANCER_PAIN:g}, RDQ {CANCER_RDQ}, {CANCER_MONTHS:g} months to live, no "
    "osteosarcoma or solitary plasmacytoma",
    cite=("CAFE-CT.gov",), provenance="S", change="",
)  # fmt: skip
def unlike_cancer_trial(facts: Facts) -> Told:
    """Unlike the patients of the trial in cancer (CAFE)."""
    unlike = any_told(
        ~pain_at_least(facts, CANCER_PAIN),
        facts.number("function.rdq", lambda rdq: rdq < CANCER_RDQ),
        facts.number("tumour.months_to_live", lambda months: months < CANCER_MONTHS),
        facts.says("tumour.excluded"),
    )
    return tumour(facts) & unlike


@item(
    "IN-13", Step.NOTES, Verdict.WARN, limit="yes", cite=("LCD", "Hirsch2018"), provenance="S2",
    change="bone density and bone treatment looked after",
)  # fmt: skip
def bone_neglected(facts: Facts) -> Told:
    """Nobody looks after the bones yet: density and treatment belong to the fracture's care."""
    return ~facts.says("care.bone_plan")


@item(
    "IN-14", Step.NOTES, Verdict.INFO, limit=f"more than about {EARLY_WEEKS:g} weeks",
    cite=("Papanastassiou2012",), provenance="S", change="",
)  # fmt: skip
def later_than_best(facts: Facts) -> Told:
    """Pain fell more in patients treated earlier."""
    return _weeks(facts, EARLY_WEEKS)


OF_PATIENT = (
    chronic,
    little_pain_in_hospital,
    little_pain_at_home,
    care_not_tried,
    improving,
    care_failed,
    unlike_cancer_trial,
    bone_neglected,
    later_than_best,
)
OF_LEVEL = (pain_elsewhere, healed, steady, out_of_scope, outside_trials, prophylactic)
