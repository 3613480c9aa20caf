"""The booklet opened in a browser: no fault of access, no request, and a way by keyboard."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kyphoplan.io.stamping import Stamp, stamp

from ..browsing import faults
from .test_page import page_of


@pytest.fixture(scope="module", params=["no record", "everything wrong"])
def opened(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Page, list[str]]:
    file = tmp_path_factory.mktemp("booklet") / "patient.html"
    file.write_text(page_of(request.param), encoding="utf-8")
    stamp(file, Stamp.of({"inputs": {"ct": {"name": "ct.nii.gz", "sha256": "ab" * 32}}}))
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda said: seen.append(said.text))
    page.goto(file.as_uri())
    return page, seen


def test_it_asks_no_network_and_complains_of_nothing(opened: tuple[Page, list[str]]) -> None:
    page, seen = opened
    assert seen == [page.url]


def test_axe_finds_no_fault(opened: tuple[Page, list[str]], root: Path) -> None:
    assert faults(opened[0], root) == []


def test_it_fits_a_telephone(opened: tuple[Page, list[str]]) -> None:
    page = opened[0]
    page.set_viewport_size({"width": 360, "height": 740})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1000, "height": 900})
    assert wide <= 360


def test_the_tab_key_reaches_the_booklet_first_and_shows_where_it_is(
    opened: tuple[Page, list[str]],
) -> None:
    page = opened[0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.url.endswith("#cover")
