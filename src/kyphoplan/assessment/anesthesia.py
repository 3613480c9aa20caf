"""A proposal for the anesthesiologist: local with sedation, or general; he or she decides."""

from kyphoplan.assessment.facts import Facts, Told, any_told, counted, known, unknown
from kyphoplan.assessment.item import Item, item
from kyphoplan.case import Anesthesia, AnesthesiaProposal, Answer, Finding, Reason, Step, Verdict

ASA_SEVERE = 4  # [ASA class] AN-3 (S,P)
EJECTION_LOW_PCT = 30.0  # [%] AN-3 (S,P)
BMI_HIGH = 40.0  # [kg/m2] AN-4 (S,P)
MANY_LEVELS = 3  # [levels] AN-2 (S,P); three levels also pass 90 minutes
STEP = Step.NOTES


def cooperates(facts: Facts) -> Told:
    """Return whether the patient can follow what is said, and lie on the front."""
    hindered = facts.any("conditions.dementia", "conditions.language_barrier")
    return facts.says("function.lies_prone") & ~hindered


@item("AN-1", STEP, Verdict.INFO, limit="one level, lies prone for about 60 min, cooperates",
      cite=("JHE2020",), provenance="S,P", change="")  # fmt: skip
def suits_local(facts: Facts) -> Told:
    """One level in a patient who can lie prone and cooperates: local anesthesia with sedation. In
    a trial at one level it took longer, cost less and had fewer complications within a year.
    """
    count = len(facts.levels)
    return known(count == 1, counted(count)) & cooperates(facts)


@item("AN-2", STEP, Verdict.INFO,
      limit=f"{MANY_LEVELS} levels, more than 90 min, pain when prone, dementia, language barrier",
      cite=("BMC3778",), provenance="S,P", change="")  # fmt: skip
def suits_general(facts: Facts) -> Told:
    """Many levels, or lying still on the front is too much: talk about general anesthesia. At many
    levels it was shorter, with no difference in complications.
    """
    count = len(facts.levels)
    return known(count >= MANY_LEVELS, counted(count)) | ~cooperates(facts)


@item("AN-3", STEP, Verdict.INFO,
      limit=f"ASA {ASA_SEVERE}, oxygen, severe lung disease, ejection fraction below "
      f"{EJECTION_LOW_PCT:g} %",
      cite=("Medicina2023",), provenance="S,P", change="")  # fmt: skip
def too_ill_for_general(facts: Facts) -> Told:
    """Heart or lungs are weak: rather local or regional, with an anesthesiologist in the room."""
    return any_told(
        facts.number("asa", lambda asa: asa >= ASA_SEVERE),
        facts.says("lungs.oxygen"),
        facts.says("lungs.severe"),
        facts.number("heart.ejection_pct", lambda value: value < EJECTION_LOW_PCT, "%"),
    )


@item("AN-4", STEP, Verdict.WARN,
      limit=f"BMI {BMI_HIGH:g}, sleep apnea, difficult airway, full stomach or reflux",
      cite=("Medicina2023",), provenance="S,P", change="")  # fmt: skip
def airway_at_risk(facts: Facts) -> Told:
    """The airway is at risk: no deep sedation lying prone; a secured airway, or light sedation."""
    bmi = facts.patient.bmi
    heavy = unknown("weight_kg") if bmi is None else known(bmi >= BMI_HIGH, f"BMI {bmi:.0f} kg/m2")
    return heavy | facts.any("lungs.sleep_apnea", "lungs.airway", "lungs.reflux")


@item("AN-5", STEP, Verdict.INFO, limit="always", cite=(), provenance="P", change="")
def anesthesiologist_decides(facts: Facts) -> Told:
    """The anesthesiologist decides, with the patient. No trial has settled it."""
    return known(True, counted(len(facts.levels)))


ITEMS: tuple[Item, ...] = (
    suits_local,
    suits_general,
    too_ill_for_general,
    airway_at_risk,
    anesthesiologist_decides,
)


def propose(facts: Facts) -> AnesthesiaProposal:
    """Return the proposal with what speaks for each, from the items' answers."""
    found = {one.rule: one.judge(facts) for one in ITEMS}
    told = {one.rule: one.applies(facts) for one in ITEMS}
    local = _reasons(found["AN-1"], found["AN-3"])
    general = _reasons(found["AN-2"])
    missing = tuple(dict.fromkeys(name for t in told.values() for name in t.missing))
    undecided = any(told[rule].answer is Answer.UNKNOWN for rule in ("AN-1", "AN-2"))
    proposal = _proposal(undecided, bool(local), bool(general))
    if told["AN-3"].answer is Answer.UNKNOWN and proposal is not _proposal(
        undecided, True, bool(general)
    ):
        proposal = Anesthesia.UNKNOWN  # the missing answer may speak for local
    return AnesthesiaProposal(
        proposal=proposal,
        text=_TEXT[proposal],
        for_local=local,
        for_general=general,
        cautions=_reasons(found["AN-4"], found["AN-5"]),
        missing=missing,
    )


def _proposal(undecided: bool, local: bool, general: bool) -> Anesthesia:
    if undecided and not general:
        return Anesthesia.UNKNOWN
    if local == general:
        return Anesthesia.EITHER
    return Anesthesia.LOCAL if local else Anesthesia.GENERAL


def _reasons(*findings: Finding) -> tuple[Reason, ...]:
    return tuple(
        reason_of(finding)
        for finding in findings
        if finding.verdict in {Verdict.INFO, Verdict.WARN}
    )


def reason_of(finding: Finding) -> Reason:
    """Return a finding as a reason."""
    return Reason(
        rule=finding.rule,
        text=finding.text,
        fact=finding.fact,
        source=finding.source,
        provenance=finding.provenance,
    )


_OWN = "A proposal by this project's policy; the anesthesiologist decides."
_TEXT = {
    Anesthesia.LOCAL: f"Local anesthesia with sedation is proposed. {_OWN}",
    Anesthesia.GENERAL: f"General anesthesia is proposed for discussion. {_OWN}",
    Anesthesia.EITHER: f"Reasons do not settle it: local with sedation, or general. {_OWN}",
    Anesthesia.UNKNOWN: f"Cannot be proposed before the missing answers are there. {_OWN}",
}
