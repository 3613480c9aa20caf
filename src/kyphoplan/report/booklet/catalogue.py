"""The one catalogue of the booklet's words, and the small marks that its sentences may hold.

A sentence may hold ``[[shown|term]]`` (a word that the glossary explains), ``[^Key]`` (a source)
and ``{name}`` (a value). All else is plain text and is escaped.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup, escape

from kyphoplan.report.booklet.citing import Citations, placeholder, slug
from kyphoplan.report.wording import decimal

MARKS = re.compile(r"\[\[(?P<term>[^\]]+)\]\]|\[\^(?P<source>\w+)\]|\*\*(?P<bold>[^*]+)\*\*")
LANGUAGES = ("en",)


@dataclass(slots=True)
class Catalogue:
    """The words of one language, and the sources that were cited with them.

    Attributes
    ----------
    words : the tables of ``words/<language>.toml``.
    citations : grows as sentences are said.
    """

    language: str
    words: Mapping[str, Any]
    citations: Citations = field(default_factory=Citations)

    def find(self, key: str) -> Any:
        """Return what stands at a dotted key; KeyError names the key that is missing."""
        found: Any = self.words
        for part in key.split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise KeyError(f"{self.language}.toml: no words for {key!r}")
            found = found[part]
        return found

    def has(self, key: str) -> bool:
        """Say whether there are words at a key."""
        try:
            self.find(key)
        except KeyError:
            return False
        return True

    def text(self, key: str, **values: str) -> str:
        """Return a sentence as plain text, its marks taken off."""
        plain = MARKS.sub(_shown, str(self.find(key)))
        return plain.format(**values)

    def say(self, key: str, **values: str) -> Markup:
        """Return a sentence with its links to glossary and sources."""
        return self.marked(str(self.find(key)), **values)

    def all(self, key: str, **values: str) -> list[Markup]:
        """Return the sentences of a list, each as `say` does."""
        return [self.marked(str(text), **values) for text in self.find(key)]

    def marked(self, sentence: str, **values: str) -> Markup:
        """Return any sentence of the catalogue with its links; values are escaped."""
        pieces, end = [], 0
        for mark in MARKS.finditer(sentence):
            pieces.append(_filled(sentence[end : mark.start()], values))
            pieces.append(self._linked(mark, values))
            end = mark.end()
        return Markup("").join([*pieces, _filled(sentence[end:], values)])

    def cite(self, source: str, provenance: str) -> Markup:
        """Return the links to what a rule or a rate names as its source."""
        cited = self.citations.add_all(source, provenance)
        return Markup(" ").join(self._cite(key) for key in cited)

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number as this language does."""
        whole = decimal(value, digits)
        sign, point = self.find("format.thousands"), self.find("format.decimal")
        front, _, rest = whole.partition(".")
        grouped = f"{int(front):,}".replace(",", sign)
        grouped = "-" + grouped if front == "-0" else grouped
        return grouped + (point + rest if rest else "")

    def sides(self, clinical: Mapping[str, str]) -> dict[str, str]:
        """Return a picture's four sides in the patient's own words."""
        return {edge: self.text(f"sides.{word.lower()}") for edge, word in clinical.items()}

    def _cite(self, key: str) -> Markup:
        number = placeholder(key)
        label = self.text("sources.link", number=number)
        return Markup(
            '<a class="cite" href="#source-{}" aria-label="{}"><sup>{}</sup></a>'
        ).format(key, label, number)

    def _linked(self, mark: re.Match[str], values: Mapping[str, str]) -> Markup:
        if mark["bold"] is not None:
            return Markup("<strong>{}</strong>").format(_filled(mark["bold"], values))
        if mark["source"] is not None:
            self.citations.add(mark["source"])
            return self._cite(mark["source"])
        shown, _, term = mark["term"].partition("|")
        key = slug(term or shown)
        self.find(f"glossary.{key}")
        return Markup('<a class="term" href="#term-{}">{}</a>').format(key, shown)


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """Read a language's catalogue."""
    file = resources.files("kyphoplan") / "report" / "booklet" / "words" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def catalogue(language: str = "en") -> Catalogue:
    """Return the words of a language with nothing cited yet.

    Raises
    ------
    ValueError
        If there is no catalogue of that language.
    """
    if language not in LANGUAGES:
        raise ValueError(
            f"language {language!r}: no catalogue: choose from {', '.join(LANGUAGES)}"
        )
    return Catalogue(language, words_of(language))


def _shown(mark: re.Match[str]) -> str:
    if mark["source"] is not None:
        return ""
    return mark["bold"] if mark["bold"] is not None else mark["term"].partition("|")[0]


def _filled(piece: str, values: Mapping[str, str]) -> Markup:
    return Markup(str(escape(piece))).format(**values)
