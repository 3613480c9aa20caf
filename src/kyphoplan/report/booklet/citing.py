"""The sources that a booklet cites, numbered in the order of their first citation."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

# How a figure is known, by the letters of its provenance: the keys of the catalogue's words.
PROVENANCE = {"S": "read", "S2": "copy", "M": "memory", "M-": "memory", "C": "sum", "P": "policy"}


@dataclass(slots=True)
class Citations:
    """What was cited so far.

    Attributes
    ----------
    texts : where each source stands in print, by its key, in order of first citation.
    known : how the figures taken from it are known, by its key.
    """

    texts: dict[str, str] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)

    def number(self, key: str) -> int:
        """Cite a source of ``sources.toml`` and return its number."""
        source = sources()[key]
        return self._number(key, source["text"], [source["how"]])

    def numbers_of(self, source: str, provenance: str) -> dict[str, int]:
        """Cite what a rule or a rate names as its source; return key and number of each.

        Parameters
        ----------
        source : such as ``TA279: NICE TA279, 2013; LCD: ...``; our own policy has no such key.
        provenance : its letters, such as ``S,C``.
        """
        how = [PROVENANCE[letter] for letter in provenance.split(",")]
        cited = {}
        for part in source.split("; "):
            name, colon, text = part.partition(": ")
            key = slug(name) if colon else "policy"
            known = next((k for k in sources() if slug(k) == key), "")
            text = sources()[known]["text"] if known else (text or part)
            cited[known or key] = self._number(known or key, text, how)
        return cited

    def _number(self, key: str, text: str, how: list[str]) -> int:
        self.texts.setdefault(key, text)
        known = self.known.setdefault(key, [])
        known.extend(one for one in how if one not in known)
        return list(self.texts).index(key) + 1


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
