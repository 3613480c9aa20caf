"""Injury scores for a bone broken by force: TLICS and the AO Spine injury score."""

from kyphoplan.assessment.constants import table
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Patient, Score
from kyphoplan.case.terms import Ligaments, NeurologicalGrade

MORPHOLOGY = table(
    "TLICS morphology", "PMC2779435", "S",
    {"compression": 1, "burst": 2, "translation": 3, "distraction": 4},
)  # fmt: skip
NERVES = table(
    "TLICS nerves", "PMC2779435", "S",
    {"intact": 0, "root": 2, "complete cord": 2, "incomplete cord": 3, "cauda equina": 3},
)  # fmt: skip
LIGAMENTS = table(
    "TLICS ligaments", "PMC2779435", "S", {"intact": 0, "suspected": 2, "injured": 3}
)
NONOPERATIVE_MAX, OPERATIVE_MIN = 3, 5  # [points] TLICS, PMC2779435 (S); 4 is either

AO_TYPE = table(
    "AO TL injury type", "Kepler2016", "M",
    {"A0": 0, "A1": 1, "A2": 2, "A3": 3, "A4": 5, "B1": 5, "B2": 6, "B3": 7, "C": 8},
)  # fmt: skip
AO_NERVES = table(
    "AO TL nerves", "Kepler2016", "M", {"N0": 0, "N1": 1, "N2": 2, "N3": 4, "N4": 4, "NX": 3}
)
AO_MODIFIER = table("AO TL modifier", "Kepler2016", "M", {"none": 0, "M1": 1})

_NERVES_OF = {
    NeurologicalGrade.N0: ("intact",),
    NeurologicalGrade.N1: ("intact",),
    NeurologicalGrade.N2: ("root",),
    NeurologicalGrade.N3: ("incomplete cord", "cauda equina"),
    NeurologicalGrade.N4: ("complete cord",),
}
_MORPHOLOGY_OF = {
    Answer.YES: ("translation", "distraction"),
    Answer.NO: ("compression", "burst"),
    Answer.UNKNOWN: tuple(MORPHOLOGY),
}


def tlics(morphology: str, nerves: str, ligaments: str) -> int:
    """Return the TLICS [points].

    References
    ----------
    PMC2779435; a copy on the web scores a root injury 1, the printed table 2.

    Examples
    --------
    >>> tlics("burst", "intact", "suspected"), tlics("burst", "root", "intact")
    (4, 4)
    """
    parts = (MORPHOLOGY[morphology], NERVES[nerves], LIGAMENTS[ligaments])
    return int(sum(part.value for part in parts))


def tlics_says(score: int) -> str:
    """Return what the score leans to.

    Examples
    --------
    >>> [tlics_says(score) for score in (3, 4, 5)]
    ['without operation', 'either', 'operation']
    """
    if score <= NONOPERATIVE_MAX:
        return "without operation"
    return "operation" if score >= OPERATIVE_MIN else "either"


def ao_score(injury: str, nerves: str, modifier: str = "none") -> int:
    """Return the AO Spine thoracolumbar injury score [points]; from memory, to be checked.

    Examples
    --------
    >>> ao_score("A3", "N0"), ao_score("B2", "N3", "M1")
    (3, 11)
    """
    parts = (AO_TYPE[injury], AO_NERVES[nerves], AO_MODIFIER[modifier])
    return int(sum(part.value for part in parts))


def tlics_of(patient: Patient) -> Score:
    """Return the TLICS that the record leaves possible; for injuries by force only."""
    grade, ligaments = patient.neurology.grade, patient.injury.ligaments
    shapes = _MORPHOLOGY_OF[patient.injury.unstable]
    nerves = _NERVES_OF.get(grade, tuple(NERVES))
    bands = tuple(LIGAMENTS) if ligaments is Ligaments.UNKNOWN else (ligaments.value,)
    reached = [tlics(m, n, b) for m in shapes for n in nerves for b in bands]
    low, high = min(reached), max(reached)
    missing = (
        ("injury.unstable",) * (patient.injury.unstable is Answer.UNKNOWN)
        + ("neurology.grade",) * (grade not in _NERVES_OF)
        + ("injury.ligaments",) * (ligaments is Ligaments.UNKNOWN)
    )
    leans = dict.fromkeys(tlics_says(score) for score in range(low, high + 1))
    return Score(
        rule="TLICS",
        name="TLICS",
        value=float(low) if low == high else None,
        low=float(low),
        high=float(high),
        unit="points",
        text=f"leans to: {', '.join(leans)} (for injuries by force only)",
        source=cited("PMC2779435"),
        provenance="S",
        missing=missing,
    )
