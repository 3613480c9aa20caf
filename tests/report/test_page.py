"""The page: complete, self-contained, and deaf to what a file wants to say in markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from kyphoplan.case import Grade, Severity
from kyphoplan.report import Picture, measurements_page, measurements_to_json
from kyphoplan.report.wording import CANNOT_KNOW, FIGURES, INTENDED_USE

from .conftest import Case, notice, without_figures

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
PICTURE = Picture(name="overview", level=None, caption="All levels", png=b"\x89PNG fake")
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Tags(HTMLParser):
    """All tags and attributes of a page; complains where tags do not close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(case: Case) -> str:
    return measurements_page(measurements_to_json(case.measurements), [PICTURE])


def test_the_page_is_well_formed_and_asks_no_network(case: Case) -> None:
    page = page_of(case)
    tags = Tags(page)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags.seen}
    sources = [attributes["src"] or "" for tag, attributes in tags.seen if tag == "img"]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_a_hostile_label_scheme_stays_text(case: Case) -> None:
    row = replace(case.measurements["L1"], reference_basis=HOSTILE, cortical_gaps_reason=HOSTILE)
    bad = replace(notice(), text=HOSTILE, remedy=HOSTILE, code=HOSTILE)
    measurements = replace(
        case.measurements,
        label_scheme=HOSTILE,
        label_basis=HOSTILE,
        notices=(bad,),
        vertebrae=(without_figures(row, HOSTILE),),
    )
    page = measurements_page(measurements_to_json(measurements), [])
    tags = Tags(page)
    assert "script" not in {tag for tag, _ in tags.seen}
    assert not any(name.startswith("on") for _, attributes in tags.seen for name in attributes)
    assert "&lt;script&gt;" in page
    assert "{{ 7*7 }}" in page


def test_warnings_come_before_the_figures_the_worst_first(case: Case) -> None:
    notices = tuple(
        replace(notice(severity), text=f"the {severity} one")
        for severity in (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
    )
    page = page_of(replace(case, measurements=replace(case.measurements, notices=notices)))
    places = [page.index(f"the {s} one") for s in ("critical", "warning", "info")]
    assert places == sorted(places)
    assert places[-1] < page.index("<h2>Fractures</h2>")


def test_every_figure_stands_with_interval_confidence_and_reason(case: Case) -> None:
    page = page_of(case)
    assert "16.0 mm" in page
    assert "15.2 to 16.8" in page
    assert "made up for the test" in page
    assert "grade 2 wedge (2 or 3 possible)" in page
    for figure in FIGURES:
        assert figure.title in page


def test_a_vertebra_that_may_be_fractured_is_named(case: Case) -> None:
    genant = replace(case.measurements["T12"].genant, possible=(Grade.NORMAL, Grade.MILD))
    row = replace(case.measurements["T12"], genant=genant)
    page = page_of(replace(case, measurements=replace(case.measurements, vertebrae=(row,))))
    assert "<strong>T12</strong> may be fractured: grade 0 (0 or 1 possible)" in page
    assert "No graded vertebra reaches Genant grade 1" in page


def test_intended_use_and_limits_are_on_it(case: Case) -> None:
    page = page_of(case)
    assert page.index(INTENDED_USE) < page.index("<h1>")
    assert page.count(INTENDED_USE) == 2
    assert all(item.replace("'", "&#39;") in page for item in CANNOT_KNOW)


@pytest.mark.parametrize("keep", [0, 1])
def test_an_empty_result_says_so(case: Case, keep: int) -> None:
    rows = tuple(without_figures(r, "too few slices") for r in case.measurements.vertebrae[:keep])
    empty = replace(case.measurements, vertebrae=rows, kyphosis=(), notices=())
    page = measurements_page(measurements_to_json(empty))
    Tags(page)
    assert "Nothing could be measured" in page
    assert "No vertebra could be graded" in page
