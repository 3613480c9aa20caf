"""The booklet as a page: honest words, every link answered, nothing of a file is markup."""

import re
from datetime import date
from pathlib import Path

import pytest

from kyphoplan.report.booklet import Told, booklet_page, write_booklet
from kyphoplan.report.booklet.catalogue import catalogue

from ...planned import HOSTILE, planned
from .reading import chapters, grade_of

MADE_ON = date(2026, 11, 26)
GRADE = 6.0  # the highest school grade that a booklet may need


def told_of_the_phantom() -> Told:
    c = planned()
    return Told(
        measurements=c.measurements,
        spine=c.spine,
        plan=c.plan,
        made_on=MADE_ON,
        check_sums={"ct": "0123456789abcdef" * 4},
    )


@pytest.fixture(scope="module")
def page() -> str:
    return booklet_page(told_of_the_phantom())


def test_a_child_of_twelve_can_read_it(page: str) -> None:
    assert grade_of(page) <= GRADE


def test_no_booklet_calls_anybody_a_candidate_or_safe(page: str) -> None:
    said = " ".join(chapters(page).values()).lower()
    for word in ("candidate", "you are safe", "no risk", "cleared", "do not worry", "guarantee"):
        assert word not in said


def test_every_link_leads_somewhere_and_every_name_is_given_once(page: str) -> None:
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(names)


def test_every_source_that_is_cited_is_listed_with_how_it_was_read(page: str) -> None:
    cited = set(re.findall(r'href="#source-(\w+)"', page))
    listed = re.findall(r'<li id="source-(\w+)">.+?<em>\((.+?)\)</em>', page)
    assert {name for name, _ in listed} == cited
    assert len(cited) > 20


def test_use_version_date_and_hashes_stand_on_every_printed_page(page: str) -> None:
    foot = re.search(r'@bottom-center \{ content: "(.+?)"; \}', page)
    assert foot is not None
    for part in (
        "Research and teaching use",
        "kyphoplan 0.1.0",
        "26 November 2026",
        "0123456789ab",
    ):
        assert part in foot[1]


def test_the_height_lost_is_that_of_the_measurement_with_its_range(page: str) -> None:
    loss = planned().measurements["L1"].height_loss
    assert loss.value is not None
    assert f"lost about {loss.value:.0f} of 100 parts of its height" in page
    assert f"may be {loss.low:.0f} to {loss.high:.0f}." in page


def test_sides_are_the_patients_own(page: str) -> None:
    axial = re.search(r"<svg[^>]+seen from the feet with the hollow needles.+?</svg>", page)
    assert axial is not None
    words = re.findall(r'<text x="([\d.]+)"[^>]*>(your \w+)</text>', axial[0])
    place = {side: float(x) for x, side in words}
    assert place["your right"] < place["your left"]


def test_a_level_without_a_way_is_told_and_not_drawn(page: str) -> None:
    assert "did not draw the steps on your own bone T12: it found no safe way" in page
    assert "Drawing of bone T12 seen from the feet" not in page


def test_without_scan_plan_and_record_it_says_so() -> None:
    page = booklet_page(Told(measurements=planned().measurements, made_on=MADE_ON))
    assert "The computer was told nothing about you" in page
    assert "There is no picture of my bone" in page
    assert "the scan was not at hand" in page


def test_text_from_outside_is_never_markup(page: str) -> None:
    assert HOSTILE not in page
    assert "<script" not in page


def test_another_language_needs_a_catalogue() -> None:
    with pytest.raises(ValueError, match="language 'xx': no catalogue"):
        catalogue("xx")


def test_the_folder_gets_the_page(tmp_path: Path) -> None:
    write_booklet(tmp_path, told_of_the_phantom())
    assert [p.name for p in tmp_path.iterdir()] == ["patient.html"]
    assert (tmp_path / "patient.html").stat().st_size < 2e6
