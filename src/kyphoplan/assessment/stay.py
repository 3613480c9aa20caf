"""Time in the room, and where the night after is spent: a reasoned list, no probability."""

from kyphoplan.assessment.anesthesia import reason_of, suits_local
from kyphoplan.assessment.correctable import clot_danger
from kyphoplan.assessment.facts import Facts, Told, any_told, counted, known
from kyphoplan.assessment.item import Item, item
from kyphoplan.assessment.medicines import Kind, takes
from kyphoplan.assessment.neurology import tumour
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Minutes, Reason, Setting, Stay, Step, Verdict
from kyphoplan.case.terms import Independence

ASA_MOST = 3  # [ASA class] DS-1, Shin2023 (S,P)
MANY_LEVELS = 3  # [levels] DS-3 (P)
OLD_YEARS = 65  # [years] DS-5, Crouser2018 (S,P)
SETUP_MIN, PER_LEVEL_MIN = 15.0, 30.0  # [min] section 4 of the evidence (P)
LEVEL_LOW_MIN, LEVEL_HIGH_MIN = 30.0, 60.0  # [min] the range shown for a level (P)
STEP = Step.NOTES


def _dependent(facts: Facts) -> Told:
    return facts.among("function.independence", Independence.PARTIAL, Independence.TOTAL)


@item("DS-1", STEP, Verdict.INFO,
      limit=f"one level, ASA up to {ASA_MOST}, independent, local anesthesia, escort for 24 h",
      cite=("Shin2023",), provenance="S,P", change="")  # fmt: skip
def same_day(facts: Facts) -> Told:
    """Home the same day is likely, if no cement reached canal or lung. In a register 67 of 100
    patients who came for the day went home the same day.
    """
    return (
        ~facts.number("asa", lambda asa: asa > ASA_MOST)
        & ~_dependent(facts)
        & suits_local.applies(facts)
        & facts.says("circumstances.escort")
    )


@item("DS-2", STEP, Verdict.INFO,
      limit="ASA 4, dependent, oxygen, or sleep apnea where general anesthesia is possible",
      cite=("Shin2023", "Toy2014"), provenance="S,P", change="")  # fmt: skip
def overnight_for_health(facts: Facts) -> Told:
    """Health or function ask for a night in hospital; they weigh more than the number of
    levels.
    """
    apnea = facts.says("lungs.sleep_apnea") & ~suits_local.applies(facts)
    return any_told(
        facts.number("asa", lambda asa: asa > ASA_MOST),
        _dependent(facts),
        facts.says("lungs.oxygen"),
        apnea,
    )


@item("DS-3", STEP, Verdict.INFO,
      limit=f"{MANY_LEVELS} levels, tumour with a pain crisis, or a clot risk that needs a bridge",
      cite=(), provenance="P", change="")  # fmt: skip
def overnight_for_extent(facts: Facts) -> Told:
    """Extent or cause ask for a night in hospital."""
    count = len(facts.levels)
    return any_told(
        known(count >= MANY_LEVELS, counted(count)),
        tumour(facts) & facts.says("pain.crisis"),
        takes(facts, Kind.ANTICOAGULANT, Kind.ANTIPLATELET) & clot_danger.applies(facts),
    )


@item("DS-4", STEP, Verdict.INFO, limit="yes", cite=("Shin2023",), provenance="S", change="")
def inpatient(facts: Facts) -> Told:
    """In hospital already: stays in hospital. Of such patients 27 in 1,000 died within 30 days and
    128 in 1,000 came back.
    """
    return facts.says("circumstances.inpatient")


@item("DS-5", STEP, Verdict.INFO, limit=f"{OLD_YEARS} years or older, dependent, lives alone",
      cite=("Crouser2018",), provenance="S,P", change="")  # fmt: skip
def facility(facts: Facts) -> Told:
    """Home may not be enough: 17 of 100 patients went to a care facility. Plan it early."""
    old = facts.number("age_years", lambda age: age >= OLD_YEARS, "years")
    return old & _dependent(facts) & facts.says("circumstances.lives_alone")


@item("DS-7", STEP, Verdict.INFO, limit="always", cite=(), provenance="M", change="")
def observation(facts: Facts) -> Told:
    """Usually one to two hours lying on the back, then getting up. Weak legs, trouble breathing,
    low pressure or pain that stays: stay and take pictures.
    """
    return known(True, counted(len(facts.levels)))


ITEMS: tuple[Item, ...] = (
    same_day,
    overnight_for_health,
    overnight_for_extent,
    inpatient,
    facility,
    observation,
)
_ASKS_FOR = {
    "DS-1": Setting.SAME_DAY,
    "DS-2": Setting.OVERNIGHT,
    "DS-3": Setting.OVERNIGHT,
    "DS-4": Setting.INPATIENT,
    "DS-5": Setting.FACILITY,
}
LENGTH = (
    Setting.SAME_DAY,
    Setting.SAME_DAY_OR_OVERNIGHT,
    Setting.OVERNIGHT,
    Setting.INPATIENT,
    Setting.FACILITY,
)


def stay(facts: Facts) -> Stay:
    """Return the longest stay that any reason asks for; unknown if a missing answer may add
    one.
    """
    told = {one.rule: one.applies(facts) for one in ITEMS}
    asked = [_ASKS_FOR[r] for r in _ASKS_FOR if told[r].answer is Answer.YES]
    longer = [s for s in asked if s is not Setting.SAME_DAY]
    shortest = (
        Setting.SAME_DAY if told["DS-1"].answer is not Answer.NO else Setting.SAME_DAY_OR_OVERNIGHT
    )
    at_least = max([*longer, shortest], key=LENGTH.index)
    doubtful = [
        rule
        for rule in _ASKS_FOR
        if told[rule].answer is Answer.UNKNOWN
        and (rule == "DS-1" or LENGTH.index(_ASKS_FOR[rule]) > LENGTH.index(at_least))
        and not (rule == "DS-1" and longer)
    ]
    setting = Setting.UNKNOWN if doubtful or not facts.levels else at_least
    missing = dict.fromkeys(name for rule in doubtful for name in told[rule].missing)
    reasons = tuple(reason_of(i.judge(facts)) for i in ITEMS if told[i.rule].answer is Answer.YES)
    return Stay(
        setting=setting,
        at_least=at_least,
        text=_text(setting, at_least),
        reasons=reasons,
        missing=tuple(missing),
    )


def _text(setting: Setting, at_least: Setting) -> str:
    if setting is Setting.UNKNOWN:
        return f"At least: {at_least}. It may be longer: answers are missing."
    if setting is Setting.SAME_DAY_OR_OVERNIGHT:
        return "The same day or after a night: no rule settles it; the team decides on the day."
    return f"Expected: {setting}. The team decides on the day."


def minutes(facts: Facts) -> Minutes:
    """Return the time in the room [min]; it grows with the levels."""
    count = len(facts.levels)
    known_count = count > 0
    measured = Reason(
        rule="TIME-1",
        text="In a trial a balloon kyphoplasty took 40 minutes on average, a vertebroplasty 32",
        fact=counted(count),
        source=cited("Dohm2014"),
        provenance="S",
    )
    one_side = Reason(
        rule="TIME-2",
        text="From one side it takes about 19 minutes less (9 to 28)",
        fact="meta-analysis",
        source=cited("JDRS2024"),
        provenance="S",
    )
    return Minutes(
        levels=count,
        typical=SETUP_MIN + PER_LEVEL_MIN * count if known_count else None,
        low=LEVEL_LOW_MIN * count if known_count else None,
        high=LEVEL_HIGH_MIN * count if known_count else None,
        text=f"About half an hour for each level, and {SETUP_MIN:g} minutes to get ready; "
        f"{LEVEL_LOW_MIN:g} to {LEVEL_HIGH_MIN:g} minutes a level. Policy of this project.",
        reasons=(measured, one_side),
    )
