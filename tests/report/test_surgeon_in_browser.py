"""The surgeon's page as a browser shows it: offline, drawn, reachable by keyboard and by ear."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from kyphoplan.report import write_surgeon

from ..planned import planned
from .browsing import (
    PATIENCE_MS,
    QUIET,
    Opened,
    needs_bundle,
    picture_of,
    serious_faults,
    visit,
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    needs_bundle()
    folder = tmp_path_factory.mktemp("report")
    c = planned()
    write_surgeon(folder, c.plan, c.spine, c.measurements, c.ct)
    return (folder / "surgeon.html").as_uri()


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Opened:
    # The page's own policy forbids the evaluations that axe and Playwright need.
    page = browser.new_page(viewport={"width": 1120, "height": 900}, bypass_csp=True)
    return visit(page, address)


@pytest.mark.slow
def test_under_its_own_policy_it_opens_without_a_word_and_asks_no_network(
    browser: Browser, address: str
) -> None:
    page = browser.new_page(viewport={"width": 1120, "height": 900})
    seen = visit(page, address)
    assert seen.complaints == []
    assert seen.requests == [address]
    assert page.title() == "Plan of a balloon kyphoplasty"
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("canvas", ["slices", "solid"])
def test_both_views_are_drawn(opened: Opened, canvas: str) -> None:
    pixels = picture_of(opened.page, canvas)
    assert pixels.std() > 0.03
    left = np.array([0xE6, 0x9F, 0x00]) / 255.0
    hue = pixels / np.maximum(pixels.max(axis=-1, keepdims=True), 1e-6)
    orange = (np.abs(hue - left / left.max()).max(axis=-1) < 0.12) & (pixels.max(axis=-1) > 0.3)
    assert orange.sum() > 20  # pixels of the left cannula


def _places(page: Page, view: str) -> tuple[float, float, float]:
    """Where across the solid view the left cannula, the right one and the bones are seen."""
    page.locator(f"button[data-look={view}]").click()
    pixels = picture_of(page, "solid")
    pixels[-120:, :160] = 0.0  # the orientation cube
    warm = pixels[..., 0] - pixels[..., 2]
    bones = (np.abs(warm) < 0.15) & (pixels.max(axis=-1) > 0.2)
    orange, blue, grey = (m.nonzero()[1].mean() for m in (warm > 0.3, warm < -0.2, bones))
    return float(orange), float(blue), float(grey)


@pytest.mark.slow
def test_the_solid_view_is_seen_from_where_its_button_says(opened: Opened) -> None:
    left, right, _ = _places(opened.page, "behind")
    assert left < right
    left, right, _ = _places(opened.page, "front")
    assert left > right
    left, right, bones = _places(opened.page, "left")  # anterior is on the picture's left
    assert min(left, right) > bones
    left, right, bones = _places(opened.page, "right")
    assert max(left, right) < bones


@pytest.mark.slow
def test_the_keyboard_moves_the_slices_and_turns_the_solid_view(opened: Opened) -> None:
    for canvas in ("slices", "solid"):
        before = picture_of(opened.page, canvas)
        opened.page.locator(f"canvas.{canvas}").focus()
        for _ in range(3):
            opened.page.keyboard.press("ArrowLeft")
        assert np.abs(picture_of(opened.page, canvas) - before).max() > 0.1, canvas


@pytest.mark.slow
def test_axe_finds_no_serious_fault(opened: Opened, root: Path) -> None:
    assert serious_faults(opened.page, root) == []


@pytest.mark.slow
def test_a_browser_without_webgl_is_told_so_in_words(
    launch: Callable[..., Browser], address: str
) -> None:
    plain = launch(args=[*QUIET, "--disable-gpu", "--disable-3d-apis"])
    page = plain.new_page()
    page.goto(address)
    page.wait_for_selector("section.viewer[data-viewer=failed]", timeout=PATIENCE_MS)
    assert "WebGL 2" in page.locator("[role=status]").inner_text()
    plain.close()
