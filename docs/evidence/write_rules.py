"""Write `rules.md`: every rule and number of the assessment, read from the code itself.

Run ``python docs/evidence/write_rules.py`` after a change of a rule; a test compares the page with
the code.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from kyphoplan import assessment
from kyphoplan.assessment.anesthesia import ITEMS as ANESTHESIA
from kyphoplan.assessment.benefits import EFFECTS
from kyphoplan.assessment.candidacy import LEVEL_ITEMS, PATIENT_ITEMS
from kyphoplan.assessment.constants import Constant
from kyphoplan.assessment.holds import CITE, HOLDS, PROVENANCE
from kyphoplan.assessment.item import Item
from kyphoplan.assessment.risks import COUNTS, RATES, wilson_per_1000
from kyphoplan.assessment.sources import SOURCES, cited
from kyphoplan.assessment.stay import ITEMS as STAY

PAGE = Path(__file__).with_name("rules.md")
NAMED = re.compile(r"^([A-Z][A-Z0-9_, ]*) = ([-\d({][^#]*?)  # \[([^\]]*)\] (.+)$", re.MULTILINE)
CODE = re.compile(r"\((?:S|S2|M-?|C|P)(?:,(?:S|S2|M|C|P))*\)")

# Rules of the evidence base that are not items here, and where they are.
ELSEWHERE = {
    "G-00 G-01 G-02 G-03 G-10 G-11 G-12": "morphometry: Genant's grade and shape",
    "G-05": "not encoded: a break without height loss is not looked for; cortical gaps are listed",
    "QM-1 QM-2 QM-3 QM-4": "not encoded: needs norms of each level; Genant is used",
    "QM-5 QM-6": "not encoded: needs an earlier scan",
    "OF-1 OF-2 OF-3 OF-4 OF-5 OF-6 OF-7 OF-T1 OF-T2 OF-T3": "the OF score below",
    "OF-T4": "not encoded: its weights were not seen",
    "PW-4": "not encoded: a curve from memory, of low confidence",
    "RC-1 RC-2 RC-3 RC-4 RC-5 RC-6": "the RCRI below",
    "AC-3": "aPTT is not asked for: not routinely recommended (Patel2019, S)",
    "IN-09": "the same as CI-R5",
    "RD-12 RD-13": "the list before the procedure",
    "LK-3 LK-4": "not encoded: belongs to the plan's cement",
    "LK-7": "not encoded: belongs to the rehearsal",
    "LK-9 DS-6": "not encoded: after the procedure; named on the card of warning signs",
}


def modules() -> list[ModuleType]:
    """Return the modules of the assessment."""
    names = [m.name for m in pkgutil.iter_modules(assessment.__path__)]
    return [importlib.import_module(f"kyphoplan.assessment.{name}") for name in names]


def items() -> dict[str, tuple[Item, str]]:
    """Return every item that is defined anywhere, by its rule, with the place of its function."""
    found: dict[str, tuple[Item, str]] = {}
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, Item) and value.applies.__module__ == module.__name__:
                if value.rule in found:
                    raise ValueError(f"two rules are called {value.rule}")
                found[value.rule] = (value, f"{module.__name__.removeprefix('kyphoplan.')}.{name}")
    return found


def asked() -> tuple[Item, ...]:
    """Return the items that are really asked."""
    return (*PATIENT_ITEMS, *LEVEL_ITEMS, *ANESTHESIA, *STAY)


def constants() -> Iterator[tuple[Constant, str]]:
    """Yield the numbers of the scores with the module that uses them."""
    for module in modules():
        for value in vars(module).values():
            held = list(value.values()) if isinstance(value, dict) else [value]
            for one in held:
                if isinstance(one, Constant):
                    yield one, module.__name__.rsplit(".", 1)[-1]


def named_numbers() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield name, value, unit, source and module of each named number, from its line of code."""
    for module in modules():
        for name, value, unit, source in NAMED.findall(inspect.getsource(module)):
            yield name, value, unit, source, module.__name__.rsplit(".", 1)[-1]


def page() -> str:
    """Return the page."""
    parts = (
        _head(), _rules(), _numbers(), _scores(), _holds(), _risks(), _effects(), _elsewhere(),
        _sources(),
    )  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head() -> Iterator[str]:
    yield "# Rules and numbers of the assessment"
    yield ""
    yield "Written from the code by `docs/evidence/write_rules.py`; do not edit."
    yield "See [the evidence](README.md)."


def _table(*heads: str) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"


def _rules() -> Iterator[str]:
    yield "## Rules"
    yield ""
    yield from _table(
        "rule", "step", "says", "limit", "outcome", "at most", "source", "how known", "code"
    )
    for rule, (one, place) in sorted(items().items()):
        outcome = one.outcome.value
        cells = (
            rule, one.step.value, one.says, one.limit, outcome, one.allowed.value,
            ", ".join(one.cite) or "own policy", one.provenance, f"`{place}`",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _numbers() -> Iterator[str]:
    yield "## Named numbers"
    yield ""
    yield from _table("name", "value", "unit", "rule and source", "module")
    for name, value, unit, source, module in named_numbers():
        yield f"| {name} | {value} | {unit} | {source} | `{module}` |"


def _scores() -> Iterator[str]:
    yield "## Scores"
    yield ""
    yield from _table("score", "item", "value", "unit", "source", "how known", "module")
    seen = set()
    for one, module in constants():
        if (one.rule, one.name) not in seen:
            seen.add((one.rule, one.name))
            cells = (
                one.rule, one.name, f"{one.value:g}", one.unit, ", ".join(one.cite),
                one.provenance, f"`{module}`",
            )  # fmt: skip
            yield f"| {' | '.join(cells)} |"


def _holds() -> Iterator[str]:
    yield "## Medicines: times of the guidelines"
    yield ""
    yield f"From memory ({PROVENANCE}); {cited(*CITE)}. Never an order."
    yield ""
    yield from _table("medicine", "stop, SIR", "stop, ASRA", "start, SIR", "start, ASRA")
    for name, times in HOLDS.items():
        yield f"| {name} | {' | '.join(times)} |"


def _risks() -> Iterator[str]:
    yield "## Rates, per 1,000"
    yield ""
    yield from _table(
        "key", "what", "events", "of", "rate", "interval", "who", "when", "source", "how known"
    )
    for c in COUNTS:
        low, high = wilson_per_1000(c.events, c.total)
        cells = (
            c.key, c.title, str(c.events), f"{c.total} {c.of}", f"{1000 * c.events / c.total:.1f}",
            f"{low:.1f} to {high:.1f}", c.population, c.window, c.cite, c.provenance,
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    for r in RATES:
        cells = (
            r.key, r.title, "", r.of, f"{r.per_1000:.1f}", "not printed", r.population,
            "after the procedure", r.cite, r.provenance,
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _effects() -> Iterator[str]:
    yield "## What the trials found"
    yield ""
    yield from _table(
        "key", "what", "difference", "interval", "unit", "against", "when", "source", "how known"
    )
    for e in EFFECTS:
        interval = "not printed" if e.interval is None else f"{e.interval[0]} to {e.interval[1]}"
        difference = "" if e.difference is None else f"{e.difference}"
        cells = (
            e.key, e.title, difference, interval, e.unit, e.comparator, e.at,
            ", ".join(e.cite), e.provenance,
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _elsewhere() -> Iterator[str]:
    yield "## Rules of the evidence base that are not items"
    yield ""
    yield from _table("rules", "where")
    for rules, where in ELSEWHERE.items():
        yield f"| {rules} | {where} |"


def _sources() -> Iterator[str]:
    yield "## Sources"
    yield ""
    yield from _table("name", "where it is in print")
    for name, where in SOURCES.items():
        yield f"| {name} | {where} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
