"""The booklet as a page: honest words, every link answered, nothing of a file is markup."""

import json
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from kyphoplan.assessment import assess
from kyphoplan.case import Level, Notice, Patient, Severity, Verdict
from kyphoplan.io.patient_record import read_patient
from kyphoplan.io.stamping import STATED
from kyphoplan.report.booklet import Told, booklet_page, write_booklet
from kyphoplan.report.booklet.catalogue import catalogue
from kyphoplan.report.measurements_reading import read_measurements

from ...planned import HOSTILE, planned
from .people import PEOPLE, cannot_pass_urine, everything_wrong, fit, infected, on_thinners
from .reading import chapters, grade_of

MADE_ON = date(2026, 11, 26)
GRADE = 6.0  # the highest school grade that a booklet may need
ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples" / "patients").glob("*.json"))
NEVER_SAID = (
    "candidate", "you are safe", "is safe for you", "no risk", "cleared", "do not worry",
    "nothing to fear", "guarantee", "you should have", "harmless", "you will feel better",
)  # fmt: skip


def told(patient: Patient | None = None) -> Told:
    c = planned()
    return Told(
        measurements=c.measurements,
        spine=c.spine,
        plan=c.plan,
        patient=patient,
        made_on=MADE_ON,
        check_sums={"ct": "0123456789abcdef" * 4},
    )


@cache
def page_of(person: str) -> str:
    return booklet_page(told(PEOPLE[person]))


@cache
def page_of_example(file: Path) -> str:
    expected = json.loads((file.parent / "expected" / "verdicts.json").read_text(encoding="utf-8"))
    figures = expected[file.stem]["figures"]
    measured = read_measurements(file.parent / "figures" / f"{figures}.json")
    return booklet_page(Told(measurements=measured, made_on=MADE_ON, patient=read_patient(file)))


@pytest.fixture(scope="module")
def page() -> str:
    return page_of("no record")


def said(page: str) -> str:
    return " ".join(chapters(page).values())


def check_words(page: str) -> None:
    assert grade_of(page) <= GRADE
    for chapter, text in chapters(page).items():
        assert grade_of(f'<section id="x"><p>{text}</p></section>') <= GRADE + 1.0, chapter
    for word in NEVER_SAID:
        assert word not in said(page).lower()


@pytest.mark.parametrize("person", PEOPLE)
def test_a_child_of_twelve_can_read_it_and_it_promises_nothing(person: str) -> None:
    check_words(page_of(person))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_so_it_is_for_the_worked_patients(file: Path) -> None:
    check_words(page_of_example(file))


@pytest.mark.parametrize("person", PEOPLE)
def test_every_link_leads_somewhere_and_every_name_is_given_once(person: str) -> None:
    names = re.findall(r'\bid="([^"]+)"', page_of(person))
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', page_of(person))) <= set(names)


@pytest.mark.parametrize("person", PEOPLE)
def test_every_source_cited_is_listed_with_how_it_was_read_in_order(person: str) -> None:
    page = page_of(person)
    cited = list(dict.fromkeys(re.findall(r'href="#source-(\w+)"', page)))
    listed = re.findall(r'<li id="source-(\w+)">.+?<em>\((.+?)\)</em>', page)
    assert [name for name, _ in listed] == cited
    assert len(cited) > 20
    places = [
        re.findall(r"doi:\S+|PMC\d+|M708\w+|CD\d+", text)
        for text in re.findall(r'<li id="source-\w+">(.+?)<em>', page)
    ]
    named = [place.rstrip(".") for found in places for place in found]
    assert len(named) == len(set(named))
    numbers = [int(n) for n in re.findall(r"<sup>(\d+)</sup>", page)]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(cited) + 1))


def test_use_version_date_and_hashes_stand_on_every_printed_page(page: str) -> None:
    foot = re.search(r'@bottom-center \{ content: "(.+?)"; \}', page)
    assert foot is not None
    for part in ("Research and teaching use", "kyphoplan 0.1.0", "26 November 2026", "scan 0123"):
        assert part in foot[1]


def test_the_height_lost_is_that_of_the_measurement_with_its_range(page: str) -> None:
    loss = planned().measurements["L1"].height_loss
    assert loss.value is not None
    assert f"lost about {loss.value:.0f} of 100 parts of its height" in page
    assert f"may be {loss.low:.0f} to {loss.high:.0f}." in page


def test_a_level_without_a_way_is_told_and_not_drawn(page: str) -> None:
    assert "did not draw the steps on your own bone T12: it found no safe way" in page
    assert "Drawing of bone T12 seen from the feet" not in page


def test_without_scan_plan_and_record_it_says_so() -> None:
    page = booklet_page(Told(measurements=None, made_on=MADE_ON))
    assert "The computer was told nothing about you" in page
    assert "My bone: not found in the scan" in page
    assert "The computer cannot tell" in page


def test_a_bone_that_is_asked_about_but_not_in_the_scan_is_named() -> None:
    asked = replace(fit(), levels_planned=(Level.T5,))
    page = booklet_page(told(asked))
    assert "Bone T5 is asked about. It is not in the scan, or it was not measured." in page


def test_an_emergency_stands_first_and_nothing_is_planned_beside_it() -> None:
    page = booklet_page(told(cannot_pass_urine()))
    assert page.index('class="alarm"') < page.index('id="urgent-title"')
    assert "a spine surgeon must first say if your nerves need room" in page
    assert "seen from the feet" not in page
    assert "going home the same day can be asked about" not in page
    assert "What if I wait 4 to 6 weeks?" not in page
    assert "First get help today." in page


def test_where_it_does_not_fit_no_step_is_drawn_and_the_reason_is_given() -> None:
    page = booklet_page(told(infected()))
    assert "some of your facts speak against the treatment" in page
    assert "You have an" in page
    assert "seen from the feet" not in page


def test_the_best_verdict_is_still_no_permission() -> None:
    assert assess(planned().measurements, fit()).verdict is Verdict.CANDIDATE
    page = booklet_page(told(fit()))
    assert "This is not a go-ahead." in page
    assert "Drawing of bone L1 seen from the feet" in page


def test_medicines_are_told_by_name_and_no_hold_time_is_an_order() -> None:
    page = booklet_page(told(on_thinners()))
    assert '<strong class="name">Eliquis</strong>. It works against clots. Do not stop' in page
    assert '<strong class="name">blue pill</strong>. The computer does not know this' in page
    assert not re.search(r"(stop|pause)[^.]{0,40}\d+ (days|hours)", said(page))


def test_the_history_holds_what_was_answered_and_no_name_or_birth_date() -> None:
    identified = replace(
        fit(), identity=replace(fit().identity, name="Anna Example", birth_date=date(1951, 5, 4))
    )
    page = booklet_page(told(identified))
    assert "Pain now, from 0 to 10: <strong>8</strong>" in page
    assert "No: A heart attack, ever;" in page or "No: A heart attack, ever" in page
    assert "Anna" not in page
    assert "1951" not in page


def test_what_matters_most_leads_the_list_of_what_is_missing() -> None:
    page = page_of("empty record")
    first = re.search(r'id="gaps".+?<li>(.+?)</li>', page, re.DOTALL)
    assert first is not None
    assert "nerve exam" in first[1]
    assert "The doctors' pages list them all." in page or "The doctors&#39; pages" in page


def test_text_from_outside_is_never_markup() -> None:
    for page in (page_of("no record"), page_of("on thinners")):
        assert HOSTILE not in page
        assert "<script" not in page
    assert "<b>bold</b>" not in page_of("on thinners")
    assert "&lt;b&gt;bold&lt;/b&gt;" in page_of("on thinners")


def test_the_more_is_wrong_the_more_is_said() -> None:
    def against(page: str) -> int:
        part = page[page.index('id="verdict"') : page.index('id="bone"')]
        return part.count("<li>")

    assert against(booklet_page(told(everything_wrong()))) > 15
    assert against(booklet_page(told(fit()))) == 0


def test_another_language_needs_a_catalogue() -> None:
    with pytest.raises(ValueError, match="language 'xx': no catalogue"):
        catalogue("xx")


def test_the_folder_gets_the_page(tmp_path: Path) -> None:
    write_booklet(tmp_path, told())
    assert [p.name for p in tmp_path.iterdir()] == ["patient.html"]
    assert (tmp_path / "patient.html").stat().st_size < 2e6


def test_a_break_that_nobody_asks_about_is_not_passed_over() -> None:
    page = booklet_page(replace(told(replace(fit(), levels_planned=(Level.L2,))), plan=None))
    assert "Bone L1 looks broken too on the scan." in page
    assert "looks broken too" not in page_of("fit")


def test_sides_that_were_stated_and_not_read_are_warned_of() -> None:
    stated = Notice(
        code=STATED, severity=Severity.WARNING, level=None, text="stated", remedy="check"
    )
    measured = replace(planned().measurements, notices=(stated,))
    page = booklet_page(replace(told(fit()), measurements=measured))
    assert "Left and right were told to the computer." in page
    assert "Left and right were told" not in page_of("fit")


def test_the_template_holds_no_words_of_its_own(root: Path) -> None:
    templates = root / "src" / "kyphoplan" / "report" / "templates"
    text = (templates / "booklet.html").read_text(encoding="utf-8")
    text = re.sub(r"<style>.*?</style>|{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>|&\w+;", " ", text)
    assert set(re.findall(r"[A-Za-z]{2,}", text)) <= {"kyphoplan"}


def test_any_number_of_needles_is_told() -> None:
    level = planned().plan.levels[0]
    for count, words in (
        (1, "one needle"),
        (2, "two needles, one on each side,"),
        (3, "3 needles,"),
    ):
        needles = (level.trajectories * 2)[:count]
        plan = replace(planned().plan, levels=(replace(level, trajectories=needles),))
        assert f"Your plan: {words} about 4.2 mm wide." in booklet_page(replace(told(), plan=plan))
