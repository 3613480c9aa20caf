"""The catalogue is whole: every rule, answer, risk and question has words, pairs as agreed."""

import html
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import kyphoplan.assessment
from kyphoplan.assessment import assess
from kyphoplan.assessment.item import Item
from kyphoplan.assessment.questions import EVERYBODY, OWN
from kyphoplan.case import Patient, Verdict
from kyphoplan.case.assessment import Anesthesia, Setting
from kyphoplan.report.booklet import booklet_page
from kyphoplan.report.booklet import catalogue as module
from kyphoplan.report.booklet.catalogue import LANGUAGES, MARKS, catalogue, words_of
from kyphoplan.report.booklet.citing import slug, sources
from kyphoplan.report.booklet.ipdas import ITEMS

from .people import on_thinners
from .test_page import told

WORDS = catalogue("en")
OPEN, CLOSE = (
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}",
    ("\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"),
)


def strings(table: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(table, str):
        yield key, table
    elif isinstance(table, list):
        for n, item in enumerate(table):
            yield from strings(item, f"{key}.{n}")
    else:
        for name, item in table.items():
            yield from strings(item, f"{key}.{name}")


def items() -> list[Item]:
    package = kyphoplan.assessment
    names = [
        f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)
    ]
    held = (one for name in names for one in vars(importlib.import_module(name)).values())
    return [one for one in held if isinstance(one, Item)]


def rules() -> set[str]:
    return {item.rule for item in items()}


def answers(record: Any, prefix: str = "") -> Iterator[str]:
    for item in fields(record):
        value = getattr(record, item.name)
        if is_dataclass(value):
            yield from answers(value, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}"


def test_every_rule_has_its_words_and_no_words_lack_their_rule() -> None:
    assert len(rules()) > 80
    assert set(WORDS.find("rules")) == rules()


def test_every_answer_of_the_record_has_a_name() -> None:
    asked = [name for name in answers(Patient()) if not name.startswith("identity.")]
    assert [name for name in asked if not WORDS.has(f"record.{name}")] == []


def test_every_risk_question_and_verdict_has_its_words() -> None:
    for risk in assess(None).risks:
        assert WORDS.has(f"risk.{risk.key}.title")
        assert WORDS.has(f"risk_of.{risk.of}")
        assert WORDS.has(f"risk_window.{risk.window}")
        assert WORDS.has(f"risk_people.{risk.population}")
        assert not risk.detector or WORDS.has(f"risk_seen.{risk.detector}")
    assert {key for key, *_ in (*EVERYBODY, *OWN)} == set(WORDS.find("questions.text"))
    shown = [v for v in Verdict if v not in (Verdict.WARN, Verdict.INFO, Verdict.PASS)]
    assert all(WORDS.has(f"verdict.{verdict.name}.text") for verdict in shown)
    assert all(WORDS.has(f"stay.{setting.name}.text") for setting in Setting)
    assert all(WORDS.has(f"asleep.{proposal.name}.text") for proposal in Anesthesia)
    assert all(WORDS.has(f"ipdas.{item}") for item in ITEMS)


def test_every_mark_in_a_sentence_means_something() -> None:
    for key, text in strings(WORDS.words):
        for mark in MARKS.finditer(text):
            if mark["source"] is not None:
                assert mark["source"] in sources(), key
            elif mark["term"] is not None:
                shown, _, term = mark["term"].partition("|")
                assert WORDS.has(f"glossary.{slug(term or shown)}"), key
        assert "[[" not in MARKS.sub("", text), key
        assert "[^" not in MARKS.sub("", text), key


def test_every_source_is_used_and_says_how_it_was_read() -> None:
    text = " ".join(t for _, t in strings(WORDS.words))
    named = set(re.findall(r"\[\^(\w+)\]", text))
    risks = (risk.source.split("; ") for risk in assess(None).risks)
    named |= {part.partition(":")[0] for parts in risks for part in parts}
    named |= {name for item in items() for name in item.cite}
    assert set(sources()) <= named
    assert all(WORDS.has(f"sources.{source['how']}") for source in sources().values())


def test_the_pairs_of_words_are_those_of_the_glossary(root: Path) -> None:
    page = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")[1:3]] for row in page.splitlines()]
    pairs = {(row[0].rstrip("\N{SUPERSCRIPT ONE}"), row[1]) for row in rows if len(row) == 2}
    for term in WORDS.find("glossary").values():
        assert (term["clinical"], term["word"]) in pairs


def test_the_options_have_the_same_space() -> None:
    lengths = {
        kind: [len(MARKS.sub(" ", option[kind]).split()) for option in WORDS.find("options.list")]
        for kind in ("what", "good", "bad")
    }
    for kind, counts in lengths.items():
        assert max(counts) <= 1.6 * min(counts), (kind, counts)
    whole = [sum(counts) for counts in zip(*lengths.values(), strict=True)]
    assert max(whole) <= 1.25 * min(whole)


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"] or ["en"])
def test_every_language_has_the_same_keys_values_terms_and_sources(language: str) -> None:
    def shape(table: Any) -> dict[str, list[str]]:
        return {
            key: sorted(re.findall(r"\{\w+\}|\[\^\w+\]", text)) for key, text in strings(table)
        }

    assert shape(words_of(language)) == shape(words_of("en"))


def test_numbers_are_written_as_the_language_does() -> None:
    assert WORDS.number(1234.6) == "1,235"
    assert WORDS.number(-0.04, 1) == "0.0"
    assert WORDS.number(-1234.56, 1) == "-1,234.6"


def test_values_are_escaped_and_a_missing_key_is_named() -> None:
    assert "&lt;i&gt;" in WORDS.say("short.lost_gone", bone="<i>")
    with pytest.raises(KeyError, match=r"no words for 'no\.such'"):
        WORDS.say("no.such")


def test_the_numbers_of_the_benefits_are_those_of_the_assessment() -> None:
    found = {benefit.key: benefit for benefit in assess(None).benefits}
    pain, later, quality = found["pain"], found["pain_24m"], found["quality"]
    text = WORDS.text("good.trial")
    assert f"about {abs(pain.difference or 0):.1f} points lower" in text
    assert f"({abs(pain.high or 0):.1f} to {abs(pain.low or 0):.1f})" in text
    assert f"{abs(later.difference or 0):.1f} points lower" in text
    assert f"({abs(later.high or 0):.1f} to {abs(later.low or 0):.1f})" in text
    function = WORDS.text("good.function")
    assert f"{quality.difference:.0f} points more" in function
    assert f"({quality.low:.0f} to {quality.high:.0f})" in function


def in_another_language(table: Any) -> Any:
    """Return the catalogue with every string between marks, as a translation would change it."""
    if isinstance(table, str):
        return f"{OPEN}{table}{CLOSE}"
    if isinstance(table, list):
        return [in_another_language(item) for item in table]
    return {key: in_another_language(item) for key, item in table.items()}


def test_nothing_on_the_page_stands_outside_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    english = words_of("en")
    kept = {"format": english["format"]}  # signs of numbers, not words
    other = in_another_language(english) | kept
    monkeypatch.setattr(module, "words_of", lambda _: other)
    monkeypatch.setattr(module, "LANGUAGES", ("en", "xx"))
    page = booklet_page(told(on_thinners()), language="xx")
    body = page[page.index("<body>") : page.index('<ol class="sources">')]
    text = re.sub(r"<[^>]*>", " ", body)
    depth, outside = 0, ""
    for letter in text:
        depth += (letter == OPEN) - (letter == CLOSE)
        outside += letter if depth == 0 else " "
    assert depth == 0
    words = set(re.findall(r"[A-Za-z]{2,}", html.unescape(outside)))
    days = {"November", "October", "to"}  # of the table `format`
    given = {"Eliquis", "mg", "twice", "heart", "rhythm", "blue", "pill", "bold"}
    hashes = set(re.findall(r"[A-Za-z]{2,}", "0123456789abcdef" * 4))
    assert words - days - given - hashes - {"kyphoplan"} == set()
