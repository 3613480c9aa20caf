"""What may be said of one patient: findings, candidacy, readiness, anesthesia, stay, risks.

Every statement names its rule, the source of the rule and how well the source is known.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kyphoplan.case.level import Level


class Verdict(StrEnum):
    """What a rule, a level or a patient comes to; the worst one counts, nothing is averaged.

    Examples
    --------
    >>> Verdict.DEFER.rank > Verdict.MDT_REVIEW.rank
    True
    """

    EMERGENCY_REFER = "EMERGENCY_REFER"  # spine surgery the same day: decompression?
    NOT_CANDIDATE = "NOT_CANDIDATE"
    DEFER = "DEFER"  # to be put right first
    MDT_REVIEW = "MDT_REVIEW"  # a named specialist must agree
    CONDITIONAL = "CONDITIONAL"
    CANDIDATE = "CANDIDATE"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    WARN = "WARN"
    INFO = "INFO"
    PASS = "PASS"  # the rule was looked at and has nothing against it

    @property
    def rank(self) -> int:
        """Return how bad it is; for a lack of data see `Finding.rank`."""
        return _RANK.index(self)


_RANK = (
    Verdict.PASS,
    Verdict.INFO,
    Verdict.WARN,
    Verdict.CANDIDATE,
    Verdict.CONDITIONAL,
    Verdict.INSUFFICIENT_DATA,
    Verdict.MDT_REVIEW,
    Verdict.DEFER,
    Verdict.NOT_CANDIDATE,
    Verdict.EMERGENCY_REFER,
)


class Step(StrEnum):
    """The steps of the decision, in order."""

    NEUROLOGY = "neurological emergency"
    ABSOLUTE = "absolute contraindications"
    CORRECTABLE = "to be put right first"
    INDICATION = "indication"
    ANATOMY = "anatomy of the level"
    RELATIVE = "relative contraindications"
    NOTES = "to be known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule says of this patient.

    Attributes
    ----------
    rule : its name in `docs/evidence/`, such as ``CI-A6``.
    level : the vertebra concerned, or None for the whole patient.
    verdict : what it comes to here.
    at_worst : the verdict if every missing answer came out badly; else the verdict.
    text : the same in a sentence.
    fact : the patient's fact that was used, with its unit and interval.
    limit : the value against which it was held.
    source : where the rule stands in print; empty for our own policy.
    provenance : S read there, S2 read in a secondary copy, M from memory, C computed, P policy.
    would_change : what would change the verdict.
    missing : the answers of the record that are missing for it.
    """

    rule: str
    step: Step
    level: Level | None
    verdict: Verdict
    at_worst: Verdict
    text: str
    fact: str
    limit: str
    source: str
    provenance: str
    would_change: str
    missing: tuple[str, ...] = ()

    @property
    def rank(self) -> float:
        """Return how bad it is; a lack of data ranks just below what it could hide at worst."""
        if self.verdict is Verdict.INSUFFICIENT_DATA:
            return self.at_worst.rank - 0.5
        return float(self.verdict.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelAssessment:
    """Candidacy of one vertebra.

    Attributes
    ----------
    verdict, at_worst : worst of its findings and of those of the whole patient.
    decided_by : the rules that gave the verdict.
    of_types : the OF types that images and record leave possible; empty if none can be named.
    of_reason : why these.
    decompression : the rules that ask for a surgeon's word on decompression at this level; where
        there is one, the level is not planned.
    findings : of this level alone.
    """

    level: Level
    verdict: Verdict
    at_worst: Verdict
    text: str
    decided_by: tuple[str, ...]
    of_types: tuple[int, ...]
    of_reason: str
    decompression: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A published score.

    Attributes
    ----------
    value : None if it cannot be computed.
    low, high : the range that the missing answers leave open; equal to the value if none is.
    missing : the answers that are missing.
    """

    rule: str
    name: str
    value: float | None
    low: float
    high: float
    unit: str
    text: str
    source: str
    provenance: str
    missing: tuple[str, ...] = ()


class Status(StrEnum):
    """Whether something is in order before the procedure."""

    READY = "ready"
    TO_DO = "to do"
    ASK = "ask"  # nobody has said
    STOP = "stop"  # put right first


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the list that is gone through before the procedure.

    Attributes
    ----------
    who : who decides or signs.
    """

    rule: str
    title: str
    status: Status
    text: str
    who: str
    source: str
    provenance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """How long one guideline has a medicine stopped; never an order."""

    guideline: str
    stop: str
    restart: str
    provenance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineAdvice:
    """What one medicine of the patient means for the procedure.

    Attributes
    ----------
    given : the name in the record.
    generic : the medicine it was taken for; empty if it was not recognised.
    recognised : how: as generic, brand or misspelling; or "unrecognised: check".
    kind : such as "anticoagulant"; empty if it has no bearing.
    who : who decides.
    """

    given: str
    generic: str
    recognised: str
    kind: str
    holds: tuple[Hold, ...]
    text: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What must be in order before the procedure."""

    checks: tuple[Check, ...]
    scores: tuple[Score, ...]
    medicines: tuple[MedicineAdvice, ...]
    medicines_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for or against, with its rule."""

    rule: str
    text: str
    fact: str
    source: str
    provenance: str


class Anesthesia(StrEnum):
    """What is proposed to the anesthesiologist."""

    LOCAL = "local with sedation"
    GENERAL = "general"
    EITHER = "either"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnesthesiaProposal:
    """A proposal for the anesthesiologist, who decides with the patient."""

    proposal: Anesthesia
    text: str
    for_local: tuple[Reason, ...]
    for_general: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    missing: tuple[str, ...]


class Setting(StrEnum):
    """Where the night after is spent, from the shortest stay to the longest."""

    SAME_DAY = "same day"
    SAME_DAY_OR_OVERNIGHT = "same day or overnight"
    OVERNIGHT = "overnight"
    INPATIENT = "inpatient"
    FACILITY = "facility"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Expected stay with its reasons; not a probability.

    Attributes
    ----------
    setting : the longest stay that any reason asks for; unknown if answers are missing.
    at_least : the longest stay that the known reasons ask for.
    """

    setting: Setting
    at_least: Setting
    text: str
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Time in the room [min]."""

    levels: int
    typical: float | None
    low: float | None
    high: float | None
    text: str
    reasons: tuple[Reason, ...]


class RiskGroup(StrEnum):
    """Risks that stand together."""

    HEART_AND_BRAIN = "heart and brain"
    LUNGS = "lungs and clots"
    CEMENT = "cement outside the bone"
    NERVES = "spinal cord and nerves"
    INFECTION = "infection"
    BONE = "next fracture"
    GENERAL = "in general"


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """How often something happened to people in a study; not a forecast for this patient.

    Attributes
    ----------
    per_1000, low, high : people (or levels, see ``of``) in 1,000, with the 95 % interval.
    events, total : the counts, where they were printed.
    of : of what, such as "people" or "treated levels".
    window : the time looked at, such as "30 days".
    detector : by what it was seen, such as "CT"; empty where it does not matter.
    population : who they were.
    matched : whether this is the row that fits this patient's setting best.
    """

    key: str
    group: RiskGroup
    title: str
    per_1000: float
    low: float | None
    high: float | None
    events: int | None
    total: int | None
    of: str
    window: str
    detector: str
    population: str
    note: str
    source: str
    provenance: str
    matched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """What a trial found, with its limits.

    Attributes
    ----------
    difference, low, high : against the comparator, with the 95 % interval; None if not printed.
    comparator : what it was compared with.
    blinded : whether patients did not know what they got (sham).
    """

    key: str
    title: str
    difference: float | None
    low: float | None
    high: float | None
    unit: str
    comparator: str
    at: str
    blinded: bool
    text: str
    limits: str
    source: str
    provenance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question for the patient to ask.

    Attributes
    ----------
    because : why this patient should ask it; empty for the questions of everybody.
    rules : the rules that gave the reason.
    """

    key: str
    text: str
    because: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All that may be said of one patient; see `docs/reference/assessment.md`.

    Attributes
    ----------
    verdict : worst of the levels asked about, or INSUFFICIENT_DATA.
    at_worst : the same if every missing answer came out badly.
    decompression : why decompression is to be considered; empty if nothing asks for it.
    decompression_rules : the rules of the whole patient that ask for it.
    findings : of the whole patient; those of a level stand with the level.
    beside : what this patient's CT shows that bears on leaks; shown beside the risks.
    record : False if no patient record was given.
    """

    assessed_on: date | None
    record: bool
    verdict: Verdict
    at_worst: Verdict
    text: str
    decided_by: tuple[str, ...]
    decompression: str
    decompression_rules: tuple[str, ...]
    levels: tuple[LevelAssessment, ...]
    findings: tuple[Finding, ...]
    readiness: Readiness
    anesthesia: AnesthesiaProposal
    stay: Stay
    minutes: Minutes
    risks: tuple[Risk, ...]
    beside: tuple[Finding, ...]
    benefits: tuple[Benefit, ...]
    questions: tuple[Question, ...]

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings of the patient and of every level."""
        return self.findings + tuple(f for level in self.levels for f in level.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        """The answers that are missing, each once, those that matter most first."""
        worst_first = sorted(self.all_findings, key=lambda f: -f.at_worst.rank)
        return tuple(dict.fromkeys(name for f in worst_first for name in f.missing))
