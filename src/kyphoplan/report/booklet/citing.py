"""The sources that a booklet cites, numbered in the order in which they stand on the page."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

# How a figure is known, by the letters of its provenance: the keys of the catalogue's words.
PLACEHOLDER = re.compile("\N{SECTION SIGN}(\\w+)\N{SECTION SIGN}")
PROVENANCE = {"S": "read", "S2": "copy", "M": "memory", "M-": "memory", "C": "sum", "P": "policy"}


@dataclass(slots=True)
class Citations:
    """What was cited so far.

    Attributes
    ----------
    texts : where each source stands in print, by its key.
    known : how the figures taken from it are known, by its key.
    """

    texts: dict[str, str] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)

    def add(self, key: str) -> None:
        """Cite a source of ``sources.toml``."""
        source = sources()[key]
        self._add(key, source["text"], [source["how"]])

    def add_all(self, source: str, provenance: str) -> list[str]:
        """Cite what a rule or a rate names as its source; return the key of each.

        Parameters
        ----------
        source : such as ``TA279: NICE TA279, 2013; LCD: ...``; our own policy has no such key.
        provenance : its letters, such as ``S,C``.
        """
        how = [PROVENANCE[letter] for letter in provenance.split(",")]
        cited = []
        for part in source.split("; "):
            name, colon, text = part.partition(": ")
            key = slug(name) if colon else "policy"
            known = next((k for k in sources() if slug(k) == key), "")
            text = sources()[known]["text"] if known else (text or part)
            self._add(known or key, text, how)
            cited.append(known or key)
        return cited

    def _add(self, key: str, text: str, how: list[str]) -> None:
        self.texts.setdefault(key, text)
        known = self.known.setdefault(key, [])
        known.extend(one for one in how if one not in known)


def placeholder(key: str) -> str:
    """Return what stands for a source's number until the page is finished."""
    return f"\N{SECTION SIGN}{key}\N{SECTION SIGN}"


def in_order(page: str) -> list[str]:
    """Return the keys of the sources in the order in which the page cites them."""
    return list(dict.fromkeys(PLACEHOLDER.findall(page)))


def numbered(page: str, order: list[str]) -> str:
    """Return the page with the number of each source in its place."""
    return PLACEHOLDER.sub(lambda found: str(order.index(found[1]) + 1), page)


@cache
def sources() -> Mapping[str, Mapping[str, str]]:
    """Return the sources of the catalogue: where each stands, and how its figures were read."""
    file = resources.files("kyphoplan") / "report" / "booklet" / "words" / "sources.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def slug(term: str) -> str:
    """Return a term as a key.

    Examples
    --------
    >>> slug("Balloon kyphoplasty")
    'balloon_kyphoplasty'
    """
    return re.sub(r"\W+", "_", term.strip().lower())
