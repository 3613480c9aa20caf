"""The surgeon's page as a browser shows it: offline, drawn, reachable by keyboard and by ear."""

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, sync_playwright

from kyphoplan.report import write_surgeon
from kyphoplan.viewer.page import bundle

from ..planned import planned

WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
QUIET = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking")
READY = "section.viewer[data-viewer=ready]"
PATIENCE_MS = 90_000  # [ms] two shared cores draw without a graphics card


@dataclass(frozen=True)
class Opened:
    """The page, and what it did while it opened."""

    page: Page
    requests: list[str]
    complaints: list[str]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's chromium; installed where that is allowed."""
    found = shutil.which("chromium")
    apt = shutil.which("apt-get")
    if found is None and apt is not None and os.geteuid() == 0:
        for order in ("update", "install -y --no-install-recommends chromium"):
            subprocess.run([apt, *order.split()], check=False, capture_output=True)
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium, and it cannot be installed: the page was not opened")
    return found


@pytest.fixture(scope="module")
def launch(chromium: str) -> Iterator[Callable[..., Browser]]:
    with sync_playwright() as playwright:
        yield partial(playwright.chromium.launch, executable_path=chromium)


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    opened = launch(args=[*WEBGL, *QUIET])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    if bundle() is None:
        pytest.skip("the viewer's bundle was not built: run `make setup`")
    folder = tmp_path_factory.mktemp("report")
    c = planned()
    write_surgeon(folder, c.plan, c.spine, c.measurements, c.ct)
    return (folder / "surgeon.html").as_uri()


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Opened:
    # The page's own policy forbids the evaluations that axe and Playwright need.
    page = browser.new_page(viewport={"width": 1120, "height": 900}, bypass_csp=True)
    return _visit(page, address)


def _visit(page: Page, address: str) -> Opened:
    seen = Opened(page=page, requests=[], complaints=[])
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda said: seen.complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(address)
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    return seen


def picture_of(page: Page, canvas: str) -> np.ndarray:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    png = page.locator(f"canvas.{canvas}").screenshot()
    return np.asarray(imread(io.BytesIO(png), format="png"))[..., :3]


@pytest.mark.slow
def test_under_its_own_policy_it_opens_without_a_word_and_asks_no_network(
    browser: Browser, address: str
) -> None:
    page = browser.new_page(viewport={"width": 1120, "height": 900})
    seen = _visit(page, address)
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
    axe = root / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core was not installed: run `npm ci` in frontend/")
    opened.page.evaluate(axe.read_text(encoding="utf-8"))
    found = opened.page.evaluate("axe.run().then(result => result.violations)")
    serious = [v for v in found if v["impact"] in {"serious", "critical"}]
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in serious] == []


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
