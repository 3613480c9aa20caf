"""The check by IPDAS looks at the page: what is taken out is not met."""

import re

import pytest

from kyphoplan.report.booklet.ipdas import ITEMS, checks

from .test_page import page_of

DAY = "26 November 2026"


def failed(page: str) -> set[str]:
    return {check.item for check in checks(page, DAY) if not check.passed}


def without(page: str, name: str) -> str:
    """Take a chapter's words out."""
    return re.sub(rf'(<section id="{name}".*?>).*?(</section>)', r"\1\2", page, flags=re.DOTALL)


UNSTATED = {"funding"}  # who paid is not stated, and the booklet says so


def test_a_whole_booklet_meets_all_but_who_paid_and_says_so() -> None:
    page = page_of("fit")
    assert len(ITEMS) == 12
    assert failed(page) == UNSTATED
    assert page.count("<td>pass</td>") == 12 - len(UNSTATED)
    assert page.count("<td>not met</td>") == 2 + len(UNSTATED)
    assert "It does not say who paid for it." in page


def test_who_paid_is_met_where_somebody_states_it() -> None:
    page = page_of("fit").replace("<p>It is free", '<p data-part="funding">It is free')
    assert failed(page) == set()


@pytest.mark.parametrize(
    ("chapter", "items"),
    [
        ("bone", {"condition"}),
        ("choice", {"decision"}),
        ("options", {"options", "positive", "negative", "balance"}),
        ("after", {"experience"}),
        ("sources", {"evidence"}),
        ("risks", {"uncertainty"}),
        ("about", {"date", "update", "funding", "uncertainty"}),
    ],
)
def test_a_missing_chapter_is_noticed(chapter: str, items: set[str]) -> None:
    assert failed(without(page_of("fit"), chapter)) == items | UNSTATED


def test_a_lopsided_table_is_not_balanced() -> None:
    page = re.sub(r'(data-part="option-\d-bad">)[^<]*', r"\1Risk.", page_of("fit"))
    assert "balance" in failed(page)
