"""One item of a guideline: a function with its source beside it, and what it comes to."""

from collections.abc import Callable
from dataclasses import dataclass

from kyphoplan.assessment.facts import Facts, Told
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Finding, Step, Verdict

OWN = "policy of this project, not evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a guideline.

    Attributes
    ----------
    rule, step, outcome : its name, when it is asked, and what it comes to if it applies.
    limit : the value against which the fact is held.
    cite : keys of `sources.SOURCES`; empty for our own policy.
    provenance : S read in the source, S2 in a secondary copy, M from memory, C computed, P policy.
    says : what it says if it applies.
    change : what would change it.
    applies : the function that asks.
    """

    rule: str
    step: Step
    outcome: Verdict
    limit: str
    cite: tuple[str, ...]
    provenance: str
    says: str
    change: str
    applies: Callable[[Facts], Told]

    @property
    def decides(self) -> bool:
        """Whether it was read in print, so that it may block; memory and policy may not."""
        return bool({"S", "S2"} & set(self.provenance.split(",")))

    @property
    def allowed(self) -> Verdict:
        """The outcome it may have: one from memory or policy asks for a specialist at most."""
        if self.decides or self.outcome.rank <= Verdict.MDT_REVIEW.rank:
            return self.outcome
        return Verdict.MDT_REVIEW

    @property
    def source(self) -> str:
        """The source in print, or that it is our own policy."""
        return cited(*self.cite) if self.cite else OWN

    def judge(self, facts: Facts) -> Finding:
        """Say what it comes to for this patient."""
        told = self.applies(facts)
        if told.answer is Answer.UNKNOWN:
            verdict, at_worst = Verdict.INSUFFICIENT_DATA, self.allowed
        else:
            applies = told.answer is Answer.YES
            verdict = at_worst = self.allowed if applies else Verdict.PASS
        return Finding(
            rule=self.rule,
            step=self.step,
            level=facts.level,
            verdict=verdict,
            at_worst=at_worst,
            text=self._text(told.answer),
            fact=told.fact,
            limit=self.limit,
            source=self.source,
            provenance=self.provenance,
            would_change=self.change,
            missing=told.missing if told.answer is Answer.UNKNOWN else (),
        )

    def _text(self, answer: Answer) -> str:
        if answer is Answer.NO:
            return f"Does not apply: {self.says}"
        text = self.says if answer is Answer.YES else f"Cannot tell: {self.says}"
        if self.allowed is not self.outcome:
            how = "not read in print" if "M" in self.provenance else "our own policy"
            text += f" This would be {self.outcome}, but the rule is {how}: a specialist decides."
        return text


def item(
    rule: str,
    step: Step,
    outcome: Verdict,
    *,
    limit: str,
    cite: tuple[str, ...],
    provenance: str,
    change: str,
) -> Callable[[Callable[[Facts], Told]], Item]:
    """Make a function the item of a guideline; its docstring is what the item says."""

    def make(applies: Callable[[Facts], Told]) -> Item:
        return Item(
            rule=rule,
            step=step,
            outcome=outcome,
            limit=limit,
            cite=cite,
            provenance=provenance,
            says=" ".join((applies.__doc__ or "").split()),
            change=change,
            applies=applies,
        )

    return make
