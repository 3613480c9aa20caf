"""Stability of a spine with tumour: the SINS, and the rules that rest on it."""

from collections.abc import Sequence

from kyphoplan.assessment.constants import table
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Level, Score
from kyphoplan.case.terms import Alignment, Involvement, Lesion, PainKind

LOCATION = table(
    "SINS location", "Fisher2010", "M", {"junctional": 3, "mobile": 2, "semirigid": 1, "rigid": 0}
)
PAIN = table("SINS pain", "Fisher2010", "M", {"mechanical": 3, "other": 1, "none": 0})
LESION = table("SINS lesion", "Fisher2010", "M", {"lytic": 2, "mixed": 1, "blastic": 0})
ALIGNMENT = table(
    "SINS alignment", "Fisher2010", "M", {"subluxation": 4, "deformity": 2, "normal": 0}
)
COLLAPSE = table(
    "SINS collapse", "Fisher2010", "M",
    {"over half": 3, "under half": 2, "none, over half of the body taken": 1, "none": 0},
)  # fmt: skip
POSTEROLATERAL = table(
    "SINS posterolateral", "Fisher2010", "M", {"bilateral": 3, "unilateral": 1, "none": 0}
)
HALF_PCT = 50.0  # [%] SINS collapse, Fisher2010 (M)
_JUNCTIONAL = ("C1", "C2", "C7", "T1", "T2", "T11", "T12", "T13", "L1", "L5", "L6", "S1")
_MOBILE = ("C3", "C4", "C5", "C6", "L2", "L3", "L4")


def location_of(level: Level) -> str:
    """Return the kind of place of a level; T13 and L6 count as junctional.

    Examples
    --------
    >>> [location_of(Level.parse(name)) for name in ("L1", "L3", "T7")]
    ['junctional', 'mobile', 'semirigid']
    """
    if level.name in _JUNCTIONAL:
        return "junctional"
    return "mobile" if level.name in _MOBILE else "semirigid"


def sins(
    location: str, pain: str, lesion: str, alignment: str, collapse: str, posterolateral: str
) -> int:
    """Return the Spinal Instability Neoplastic Score, 0 to 18 [points].

    References
    ----------
    Fisher 2010, doi:10.1097/BRS.0b013e3181e16ae2, from memory; a note on the web that scores pain
    3/2/1 is wrong.

    Examples
    --------
    >>> sins("junctional", "mechanical", "lytic", "deformity", "over half", "bilateral")
    16
    """
    parts = (
        LOCATION[location],
        PAIN[pain],
        LESION[lesion],
        ALIGNMENT[alignment],
        COLLAPSE[collapse],
        POSTEROLATERAL[posterolateral],
    )
    return int(sum(part.value for part in parts))


def sins_says(score: int) -> str:
    """Return what the score means.

    Examples
    --------
    >>> [sins_says(score) for score in (6, 7, 12, 13)]
    ['stable', 'potentially unstable', 'potentially unstable', 'unstable']
    """
    if score < UNCERTAIN:
        return "stable"
    return "unstable" if score >= UNSTABLE else "potentially unstable"


UNCERTAIN, UNSTABLE = 7, 13  # [points] SINS, Fisher2010 (M)


def sins_of(facts: Facts) -> Score:
    """Return the SINS of a level that record and figures leave possible."""
    patient, level = facts.patient, facts.level
    assert level is not None  # asked for levels only
    items: dict[str, tuple[Sequence[str], str]] = {
        "location": ((location_of(level),), ""),
        "pain": _possible(patient.pain.kind, PainKind, "pain.kind"),
        "lesion": _possible(patient.tumour.lesion, Lesion, "tumour.lesion"),
        "alignment": _possible(patient.tumour.alignment, Alignment, "tumour.alignment"),
        "collapse": _collapse(facts),
        "posterolateral": _possible(
            patient.tumour.posterolateral, Involvement, "tumour.posterolateral"
        ),
    }
    tables = (LOCATION, PAIN, LESION, ALIGNMENT, COLLAPSE, POSTEROLATERAL)
    points = [
        [points_of[word].value for word in words]
        for points_of, (words, _) in zip(tables, items.values(), strict=True)
    ]
    low, high = sum(map(min, points)), sum(map(max, points))
    says = dict.fromkeys(sins_says(score) for score in range(int(low), int(high) + 1))
    return Score(
        rule="SINS",
        name=f"SINS of {level}",
        value=low if low == high else None,
        low=low,
        high=high,
        unit="points",
        text=" or ".join(says),
        source=cited("Fisher2010"),
        provenance="M",
        missing=tuple(name for words, name in items.values() if len(words) > 1 and name),
    )


def _possible(
    word: PainKind | Lesion | Alignment | Involvement,
    of: type[PainKind] | type[Lesion] | type[Alignment] | type[Involvement],
    path: str,
) -> tuple[Sequence[str], str]:
    if word.value != "unknown":
        return (word.value,), ""
    return [member.value for member in of if member.value != "unknown"], path


def _collapse(facts: Facts) -> tuple[Sequence[str], str]:
    figures, taken = facts.figures, facts.patient.tumour.half_of_body
    loss = None if figures is None else figures.height_loss
    if figures is None or loss is None or loss.value is None or figures.genant.grade is None:
        return tuple(COLLAPSE), "image: height loss"
    if figures.fractured:
        ends = (loss.low or 0.0, loss.high or 0.0)
        words = ("over half" if end > HALF_PCT else "under half" for end in ends)
        return tuple(dict.fromkeys(words)), "image: height loss"
    bare = {
        Answer.YES: ("none, over half of the body taken",),
        Answer.NO: ("none",),
        Answer.UNKNOWN: ("none, over half of the body taken", "none"),
    }
    return bare[taken], "tumour.half_of_body"
