"""The rules of IPDAS for decision aids, held against a finished booklet.

Each check looks at the page itself. A pass says that the part is there, not that it is good.

References
----------
Joseph-Williams and others, Med Decis Making 2014;34:699, doi:10.1177/0272989X13501721: six items
qualify a decision aid, six certify it (those for screening tests left out).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser

LEAST_WORDS = 40  # [1] a part with fewer words says too little to count
LEAST_OPTIONS = 3  # [1] the treatment, another, and none
LEAST_SOURCES = 10  # [1] fewer cannot carry the numbers that the booklet holds
BALANCE = 1.3  # [1] largest ratio of words for one side to those for the other
RANGE = re.compile(r"\(\S+ to \S+\)")


@dataclass(frozen=True, slots=True)
class Check:
    """One item: its key in the catalogue, whether it is met, and the chapter that meets it."""

    item: str
    passed: bool
    where: str


class _Parts(HTMLParser):
    """Collects the words of every element that has an id or a ``data-part``, by that name."""

    VOID = frozenset(("meta", "br", "img", "input", "link", "hr", "col", "path", "rect", "circle"))

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, str] = {}
        self._open: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("data-part") or given.get("id")
        if name is not None:
            self.words.setdefault(name, "")
        if tag not in self.VOID:
            self._open.append(name)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take no notice of an element without content."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for name in {name for name in self._open if name is not None}:
            self.words[name] += data


def checks(page: str, made_on: str) -> list[Check]:
    """Hold a finished page against the twelve items; ``made_on`` is its date as printed."""
    parser = _Parts()
    parser.feed(page)
    return [
        Check(item, judge(parser.words, made_on), where) for item, (where, judge) in ITEMS.items()
    ]


Parts = dict[str, str]


def _count(parts: Parts, *names: str) -> int:
    return sum(len(parts.get(name, "").split()) for name in names)


def _says(*names: str) -> Callable[[Parts, str], bool]:
    return lambda parts, _: all(_count(parts, name) >= LEAST_WORDS for name in names)


def _rows(parts: Parts, kind: str) -> list[str]:
    return [text for name, text in parts.items() if re.fullmatch(rf"option-\d+-{kind}", name)]


def _each_option(kind: str) -> Callable[[Parts, str], bool]:
    def judge(parts: Parts, _: str) -> bool:
        rows = _rows(parts, kind)
        return len(rows) >= LEAST_OPTIONS and all(text.split() for text in rows)

    return judge


def _balanced(parts: Parts, _: str) -> bool:
    sides = [sum(len(text.split()) for text in _rows(parts, kind)) for kind in ("good", "bad")]
    return min(sides) > 0 and max(sides) <= BALANCE * min(sides)


def _uncertain(parts: Parts, _: str) -> bool:
    lines = [text for name, text in parts.items() if name.startswith("risk-line-")]
    ranged = [text for text in lines if RANGE.search(text)]
    return bool(lines) and len(ranged) * 2 > len(lines) and bool(parts.get("doubt"))


def _sourced(parts: Parts, _: str) -> bool:
    return sum(name.startswith("source-") for name in parts) >= LEAST_SOURCES


ITEMS: dict[str, tuple[str, Callable[[Parts, str], bool]]] = {
    "condition": ("bone", _says("bone")),
    "decision": ("choice", lambda parts, _: "?" in parts.get("choice", "")),
    "options": ("options", _each_option("what")),
    "positive": ("options", _each_option("good")),
    "negative": ("options", _each_option("bad")),
    "experience": ("after", _says("after", "steps")),
    "balance": ("options", _balanced),
    "evidence": ("sources", _sourced),
    "date": ("about", lambda parts, day: day in parts.get("about", "")),
    "update": ("about", lambda parts, _: bool(parts.get("update", "").strip())),
    "uncertainty": ("risks", _uncertain),
    "funding": ("about", lambda parts, _: bool(parts.get("funding", "").strip())),
}
