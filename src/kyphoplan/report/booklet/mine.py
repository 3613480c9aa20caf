"""What the booklet says of this patient alone: findings, reasons, gaps, questions."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from kyphoplan.case import Assessment, Finding, MedicineAdvice, Reason, Step, Verdict
from kyphoplan.report.booklet.catalogue import Catalogue

SPEAKING = (
    Verdict.EMERGENCY_REFER,
    Verdict.NOT_CANDIDATE,
    Verdict.DEFER,
    Verdict.MDT_REVIEW,
    Verdict.CONDITIONAL,
    Verdict.WARN,
)  # the verdicts of a finding that a patient should hear about
NOT_URGENT = ("waiting", "home", "who_pays")  # no question where help is needed today
ALWAYS = ("AN-5", "DS-7")  # hold for everybody: said in the chapter's own words
NOT_TOLD_SHOWN = 2  # [1] missing answers named behind one question
GUESSED = "misspelling"  # begins how a medicine was recognised that was not named exactly
GAPS_SHOWN = 12  # [1] as many missing answers are named as fit on half a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question for the specialist, and why this patient should ask it."""

    text: Markup
    because: Markup


def against(assessment: Assessment, words: Catalogue) -> list[Markup]:
    """Return what speaks against it or must be looked at: nerves first, then the worst.

    A rule that speaks of one bone names it where more than one is asked about.
    """
    found = [f for f in assessment.all_findings if f.verdict in SPEAKING]
    found.sort(key=lambda f: (f.step is not Step.NEUROLOGY, -f.rank))
    many = len(assessment.levels) > 1
    said: dict[Markup, tuple[list[str], Markup]] = {}
    for finding in found:
        text = words.say(f"rules.{finding.rule}")
        bones, _ = said.setdefault(text, ([], words.cite(finding.source, finding.provenance)))
        if many and finding.level is not None and str(finding.level) not in bones:
            bones.append(str(finding.level))
    return [_named(text, bones, links) for text, (bones, links) in said.items()]


def _named(text: Markup, bones: list[str], links: Markup) -> Markup:
    if not bones:
        return Markup("{} {}").format(text, links)
    return Markup("<strong>{}:</strong> {} {}").format(", ".join(bones), text, links)


def reasons(items: Iterable[Reason], words: Catalogue) -> list[Markup]:
    """Return reasons in the patient's words with their sources, each once."""
    said = {
        words.say(f"rules.{item.rule}"): words.cite(item.source, item.provenance)
        for item in items
        if item.rule not in ALWAYS
    }
    return [Markup("{} {}").format(text, links) for text, links in said.items()]


def medicines(advice: Iterable[MedicineAdvice], words: Catalogue) -> list[tuple[str, Markup]]:
    """Return each medicine as the record names it, and what it means for the patient."""
    return [(one.given, _medicine(one, words)) for one in advice]


def _medicine(advice: MedicineAdvice, words: Catalogue) -> Markup:
    if not advice.generic:
        return words.say("ready.medicine_unknown")
    key = f"medicine_kinds.{advice.kind}"
    said = words.say(
        key if words.has(key) else f"medicine_kinds.{'clots' if advice.kind else 'none'}"
    )
    if advice.recognised.startswith(GUESSED):
        return words.say("ready.medicine_guess", name=advice.generic) + " " + said
    return said


def gaps(assessment: Assessment, words: Catalogue) -> tuple[list[Markup], int]:
    """Return the missing answers that matter most, and how many more there are."""
    named = list(dict.fromkeys(missing(name, words) for name in assessment.missing))
    return named[:GAPS_SHOWN], max(len(named) - GAPS_SHOWN, 0)


def missing(name: str, words: Catalogue) -> Markup:
    """Return what is missing in the patient's words.

    ``name`` is a field of the record, ``image: ...`` for a figure of the scan, or ``medicines:
    ...`` for a medicine that was not recognised.
    """
    kind, colon, rest = name.partition(": ")
    if not colon:
        return words.say(f"record.{name}")
    if kind == "medicines":
        return words.say("record.medicine", name=rest)
    key = f"record_image.{rest}"
    return words.say(key if words.has(key) else "record.image")


def questions(assessment: Assessment, words: Catalogue) -> tuple[list[Asking], list[Asking]]:
    """Return the questions from this patient's facts and gaps, and those of everybody."""
    by_rule = {f.rule: f for f in assessment.all_findings if f.verdict in SPEAKING}
    unknown = {
        f.rule: f for f in assessment.all_findings if f.verdict is Verdict.INSUFFICIENT_DATA
    }
    own: list[Asking] = []
    everybody: list[Asking] = []
    for question in assessment.questions:
        if assessment.verdict is Verdict.EMERGENCY_REFER and question.key in NOT_URGENT:
            continue
        because = _because(question.rules, by_rule, unknown, words)
        asking = Asking(text=words.say(f"questions.text.{question.key}"), because=because)
        (own if because else everybody).append(asking)
    return own, everybody


def _because(
    rules: Iterable[str],
    speaking: dict[str, Finding],
    unknown: dict[str, Finding],
    words: Catalogue,
) -> Markup:
    """Return why a question is asked: what rules say, and what nobody has told."""
    said = dict.fromkeys(words.say(f"rules.{rule}") for rule in rules if rule in speaking)
    names = dict.fromkeys(
        name for rule in rules if rule in unknown for name in unknown[rule].missing
    )
    not_told = list(dict.fromkeys(_lower(missing(name, words)) for name in names))[:NOT_TOLD_SHOWN]
    if not_told:
        said[words.say("questions.not_told", what="; ".join(not_told))] = None
    return Markup(" ").join(said)


def _lower(text: Markup) -> str:
    """Return plain words for the middle of a sentence; an abbreviation stays as it is."""
    plain = str(text.striptags())
    return plain if plain[:2].isupper() else plain[0].lower() + plain[1:]
