"""OF type and OF score of the AO Spine and the German society (AO Spine-DGOU)."""

from kyphoplan.assessment.canal import back_wall_broken
from kyphoplan.assessment.constants import table
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.frailty import mfi5_of
from kyphoplan.assessment.indication import fractured
from kyphoplan.assessment.medicines import Kind, takes
from kyphoplan.assessment.neurology import deficit
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Patient, Score
from kyphoplan.case.patient import OF_UNSTABLE

POINTS = table(
    "OF score", "AOcard", "S",
    {
        "per OF type": 2,
        "weak bone": 1,
        "deformity grows": 1,
        "deformity does not grow": -1,
        "pain 5 or more": 1,
        "pain below 5": -1,
        "nerve damage": 2,
        "cannot get up": 1,
        "gets up": -1,
        "each of ASA above 3, mFI-5 above 2, anticoagulation": -1,
    },
)  # fmt: skip
T_SCORE_MAX = -3.0  # [1] OF-2, AOcard (S): weak bone below this
HU_MAX = 90.0  # [HU] OF-2, AOcard (S): weak bone up to this; depends on the tube voltage
PAIN_MIN = 5.0  # [VAS] OF-4, AOcard (S)
ANALGESIA_STEP = 2  # [WHO step] OF-4, AOcard (S): pain under less than this counts 0
ASA_MAX, MFI5_MAX = 3, 2  # [class, items] OF-7, AOcard (S)
HEALTH_MOST = 2  # [points] OF-7, AOcard (S): no more is taken off
EITHER = 6  # [points] OF-T2, AOcard (S)
TYPES = (1, 2, 3, 4, OF_UNSTABLE)


def of_score(
    of_type: int,
    *,
    weak_bone: Answer = Answer.UNKNOWN,
    progressing: Answer = Answer.UNKNOWN,
    pain: float | None = None,
    nerve_damage: Answer = Answer.UNKNOWN,
    gets_up: Answer = Answer.UNKNOWN,
    burdens: int = 0,
) -> int:
    """Return the OF score [points]; an item that is not known counts 0, as printed.

    Parameters
    ----------
    burdens : how many there are of: ASA above 3, mFI-5 above 2, anticoagulation.

    References
    ----------
    AO Spine-DGOU pocket card (modified score).

    Examples
    --------
    >>> yes, no = Answer.YES, Answer.NO
    >>> of_score(3, weak_bone=yes, progressing=yes, pain=7, nerve_damage=no, gets_up=no)
    10
    >>> of_score(2, weak_bone=no, progressing=no, pain=3, nerve_damage=no, gets_up=yes, burdens=1)
    0
    """
    strong = Answer.of(None if pain is None else pain >= PAIN_MIN)
    total = POINTS["per OF type"].value * of_type
    total += _points(weak_bone, "weak bone", None)
    total += _points(progressing, "deformity grows", "deformity does not grow")
    total += _points(strong, "pain 5 or more", "pain below 5")
    total += _points(nerve_damage, "nerve damage", None)
    total += _points(~gets_up, "cannot get up", "gets up")
    each = POINTS["each of ASA above 3, mFI-5 above 2, anticoagulation"].value
    return int(total + each * min(burdens, HEALTH_MOST))


def _points(answer: Answer, yes: str, no: str | None) -> float:
    if answer is Answer.YES:
        return POINTS[yes].value
    return POINTS[no].value if answer is Answer.NO and no is not None else 0.0


def weak_bone(t_score: float | None, density_hu: float | None = None) -> Answer:
    """Return whether the bone is weak by its T-score, or by its density on CT.

    Examples
    --------
    >>> weak_bone(-3.4), weak_bone(-2.0, 85.0), weak_bone(None)
    (<Answer.YES: 'yes'>, <Answer.YES: 'yes'>, <Answer.UNKNOWN: 'unknown'>)
    """
    by_score = Answer.of(None if t_score is None else t_score < T_SCORE_MAX)
    by_density = Answer.of(None if density_hu is None else density_hu <= HU_MAX)
    if by_density is Answer.UNKNOWN:
        return by_score
    return by_score | by_density if by_score is not Answer.UNKNOWN else by_density


def of_types(facts: Facts) -> tuple[tuple[int, ...], str]:
    """Return the OF types that images and record leave possible, and why.

    CT cannot show edema (OF1), and the figures do not tell how much of the back wall is broken
    (OF2 or OF3) or whether both endplates are (OF4); OF5 is read by a person.
    """
    injury = facts.patient.injury
    if injury.of_type is not None and len(facts.levels) == 1:
        return (injury.of_type,), "as a person read it"
    if injury.unstable is Answer.YES:
        return (OF_UNSTABLE,), "unstable, as a person read it"
    unstable = (OF_UNSTABLE,) if injury.unstable is Answer.UNKNOWN else ()
    if facts.figures is None or facts.figures.genant.grade is None:
        return (), "the shape was not measured"
    if not facts.figures.fractured:
        return _without_deformity(fractured(facts).answer, unstable)
    wall = back_wall_broken(facts).answer
    if wall is Answer.NO:
        return (2, 4, *unstable), "deformed, back wall whole; one endplate or both"
    why = "deformed, back wall broken" if wall is Answer.YES else "deformed, back wall not known"
    return (2, 3, 4, *unstable), f"{why}; how much of it, and one endplate or both"


def _without_deformity(edema: Answer, unstable: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    if edema is Answer.YES:
        return (1, *unstable), "edema on MRI without deformity"
    if edema is Answer.NO:
        return (), "no deformity and no edema"
    return (), "no deformity; CT cannot rule out edema (OF1): MRI"


def of_score_of(facts: Facts, types: tuple[int, ...]) -> Score:
    """Return the OF score that record and figures leave possible."""
    patient = facts.patient
    burdens, open_burdens = _burdens(facts)
    answers = {
        "weak_bone": (weak_bone(patient.t_score), "t_score"),
        "progressing": (patient.injury.progressing, "injury.progressing"),
        "nerve_damage": (deficit(facts).answer, "neurology.grade"),
        "gets_up": (patient.function.mobilisable, "function.mobilisable"),
    }
    known = {name: answer for name, (answer, _) in answers.items()}
    step = patient.care.who_step
    pain = None if step is None or step < ANALGESIA_STEP else patient.pain.strength
    totals = [of_score(kind, pain=pain, burdens=burdens, **known) for kind in types or TYPES]
    missing = [path for answer, path in answers.values() if answer is Answer.UNKNOWN]
    missing += ["pain.nrs"] * (patient.pain.strength is None)
    missing += ["care.who_step"] * (step is None) + list(open_burdens)
    low, high = float(min(totals)), float(max(totals))
    leans = dict.fromkeys(of_says(n) for n in range(int(low), int(high) + 1))
    return Score(
        rule="OF-T1",
        name=f"OF score of {facts.level}",
        value=low if low == high else None,
        low=low,
        high=high,
        unit="points",
        text=f"leans to: {', '.join(leans)}; not a hard rule. "
        "The tube voltage is not known, so the density in HU was not used",
        source=cited("AOcard"),
        provenance="S",
        missing=tuple(missing),
    )


def of_says(score: int) -> str:
    """Return what the score leans to.

    Examples
    --------
    >>> [of_says(score) for score in (5, 6, 7)]
    ['without operation', 'either', 'operation']
    """
    if score == EITHER:
        return "either"
    return "operation" if score > EITHER else "without operation"


def _burdens(facts: Facts) -> tuple[int, tuple[str, ...]]:
    """Return how many burdens of health are known, and what is missing to know the others."""
    patient: Patient = facts.patient
    frailty, taken = mfi5_of(patient), takes(facts, Kind.ANTICOAGULANT)
    frail = frailty.low > MFI5_MAX
    known = [patient.asa is not None and patient.asa > ASA_MAX, frail, taken.answer is Answer.YES]
    missing = ("asa",) * (patient.asa is None)
    missing += frailty.missing if not frail and frailty.high > MFI5_MAX else ()
    missing += taken.missing if taken.answer is Answer.UNKNOWN else ()
    return sum(known), missing
