"""Which medicine a name means: generic, brand, or nearly so; what is not recognised is asked."""

from dataclasses import dataclass
from enum import StrEnum

from kyphoplan.assessment.facts import Facts, Told, any_told, known
from kyphoplan.assessment.formulary import BRANDS, DRUGS
from kyphoplan.case import Answer, Medicine

UNRECOGNISED = "unrecognised: check"
# Words that may follow a name without making it another medicine: salts, forms, strengths, times.
_FORM_WORDS = (
    "mg mcg g ml iu units unit tablet tablets tab tabs capsule capsules cap caps injection "
    "inhaler "
    "patch cream gel drops solution oral sc iv im po od bd bid tds tid qid qd daily weekly "
    "monthly "
    "morning night evening once twice a day per at as needed prn sr xr xl er cr la mr retard "
    "depot "
    "low dose sodium potassium calcium chloride hydrochloride hcl succinate tartrate maleate "
    "besylate mesylate bisulfate sulfate sulphate etexilate fumarate acetate citrate phosphate "
    "bromide carbonate oxide acid glargine lispro aspart degludec mononitrate dinitrate medoxomil "
    "e x"
)
_FORMS = frozenset(_FORM_WORDS.split())
SHORTEST_TO_GUESS = 6  # [letters] shorter names are too alike to be read with an error (P)
TWO_ERRORS_FROM = 9  # [letters] (P)


class Kind(StrEnum):
    """What a medicine has to do with the procedure."""

    VITAMIN_K = "vitamin K antagonist"
    DIRECT = "direct oral anticoagulant"
    ANTICOAGULANT = "anticoagulant"
    ANTIPLATELET = "antiplatelet"
    NSAID = "anti-inflammatory"
    OTHER_BLEEDING = "may add to bleeding"
    STEROID = "steroid"
    NONE = ""


_ANTICOAGULANTS = (Kind.VITAMIN_K, Kind.DIRECT, Kind.ANTICOAGULANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a name was taken for.

    Attributes
    ----------
    generic : empty if it was not recognised.
    how : "generic name", "brand name", "misspelling, taken for ...: check", or `UNRECOGNISED`.
    """

    given: str
    generic: str
    kind: Kind
    how: str


def recognise(name: str) -> Recognised:
    """Return the medicine that a name means.

    A strength or form behind the name is ignored. A misspelling counts only if it is nearer to one
    known medicine than to every other.

    Examples
    --------
    >>> recognise("Eliquis 5 mg").generic, recognise("clopidogrell").how
    ('apixaban', 'misspelling, taken for clopidogrel: check')
    >>> recognise("blue pill").how
    'unrecognised: check'
    """
    for words in _beginnings(name):
        if words in DRUGS:
            return _of(name, words, "generic name")
        if words in BRANDS:
            return _of(name, BRANDS[words], "brand name")
    for words in _beginnings(name):
        near = _nearest(words)
        if near is not None:
            generic = BRANDS.get(near, near)
            return _of(name, generic, f"misspelling, taken for {near}: check")
    return Recognised(given=name, generic="", kind=Kind.NONE, how=UNRECOGNISED)


def _of(given: str, generic: str, how: str) -> Recognised:
    return Recognised(given=given, generic=generic, kind=Kind(DRUGS[generic]), how=how)


def _beginnings(name: str) -> list[str]:
    """Return the name, and what is left of it without words of strength and form behind it.

    A word that is none of these may be a second medicine, so it is never dropped.
    """
    words = "".join(c if c.isalpha() else " " for c in name.casefold()).split()
    dropped = next((n for n, w in enumerate(reversed(words)) if w not in _FORMS), len(words))
    return [" ".join(words[:n]) for n in range(len(words), max(len(words) - dropped, 1) - 1, -1)]


def _nearest(word: str) -> str | None:
    """Return the one known name within the errors allowed; None if there is none, or two drugs.

    Only a single word is read with errors: "vitamin k" is one letter from "vitamin d".
    """
    allowed = (
        0 if len(word) < SHORTEST_TO_GUESS or " " in word else 1 + (len(word) >= TWO_ERRORS_FROM)
    )
    for errors in range(1, allowed + 1):
        near = [name for name in (*DRUGS, *BRANDS) if _distance(word, name, errors) <= errors]
        drugs = {BRANDS.get(name, name) for name in near}
        if drugs:
            return near[0] if len(drugs) == 1 else None
    return None


def _distance(a: str, b: str, most: int) -> int:
    """Return the letters to insert, drop, change or swap; `most` + 1 if there are more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before, row = list(range(len(b) + 1)), list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        last, before, row = before, row, [i]
        for j, other in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, a[i - 2]) == (b[j - 2], other):
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def kinds_of(*kinds: Kind) -> tuple[Kind, ...]:
    """Return the kinds, with all anticoagulants under ANTICOAGULANT."""
    return kinds + (_ANTICOAGULANTS if Kind.ANTICOAGULANT in kinds else ())


def takes(facts: Facts, *kinds: Kind) -> Told:
    """Return whether the patient takes a medicine of these kinds.

    Unknown if nobody asked for the medicines, or if one of them was not recognised.
    """
    medicines = facts.patient.medicines
    if medicines is None:
        return Told(Answer.UNKNOWN, "medicines: not known", ("medicines",))
    none = known(False, "no such medicine")
    return any_told(none, *(_is(medicine, kinds_of(*kinds)) for medicine in medicines))


def _is(medicine: Medicine, kinds: tuple[Kind, ...]) -> Told:
    found = recognise(medicine.name)
    if not found.generic:
        fact = f"medicine {medicine.name!r} {UNRECOGNISED}"
        return Told(Answer.UNKNOWN, fact, (f"medicines: {medicine.name}",))
    return known(found.kind in kinds, f"{found.generic}" if found.kind in kinds else "")
