"""The page of a real fracture in a browser: small, silent, offline, drawn, accessible."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from kyphoplan.anatomy import locate
from kyphoplan.case import Approach, Level
from kyphoplan.io import read_labels, read_volume
from kyphoplan.morphometry import measure
from kyphoplan.planning import plan
from kyphoplan.report import write_surgeon
from kyphoplan.report.booklet import Told, write_booklet

from .booklet.reading import grade_of
from .browsing import Opened, faults, needs_bundle, picture_of, serious_faults, visit

LARGEST_BYTES = 20_000_000


@pytest.fixture(scope="module")
def page(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of verse012, whose L1 is broken."""
    needs_bundle()
    case = shared / "data" / "verse012-ct-L1fx"
    if not case.is_dir():
        pytest.skip("real data absent: no verse012-ct-L1fx in the folder 'shared'")
    folder = tmp_path_factory.mktemp("verse012")
    ct = read_volume(next(case.glob("*_ct.nii.gz")))
    spine = locate(read_labels(next(case.glob("*_seg-vert_msk.nii.gz"))), ct)
    measured = measure(spine, ct)
    planned = plan(spine, measured, levels=(Level.L1,))
    assert planned.levels[0].approach is Approach.BIPEDICULAR
    write_surgeon(folder, planned, spine, measured, ct)
    known = {"spine": spine, "plan": planned, "measurements": measured}
    write_booklet(folder, Told(made_on=date(2026, 11, 26), **known))
    return folder / "surgeon.html"


@pytest.fixture(scope="module")
def opened(browser: Browser, page: Path) -> Opened:
    # The page's own policy forbids the evaluations that axe and Playwright need.
    view = browser.new_page(viewport={"width": 1120, "height": 900}, bypass_csp=True)
    return visit(view, page.as_uri())


@pytest.mark.slow
def test_it_is_small_enough_to_send(page: Path) -> None:
    assert page.stat().st_size < LARGEST_BYTES


@pytest.mark.slow
def test_under_its_own_policy_it_opens_without_a_word_and_asks_no_network(
    browser: Browser, page: Path
) -> None:
    view = browser.new_page(viewport={"width": 1120, "height": 900})
    seen = visit(view, page.as_uri())
    assert seen.complaints == []
    assert seen.requests == [page.as_uri()]
    view.close()


@pytest.mark.slow
@pytest.mark.parametrize("canvas", ["slices", "solid"])
def test_both_views_are_drawn_with_the_left_cannula(opened: Opened, canvas: str) -> None:
    pixels = picture_of(opened.page, canvas)
    assert pixels.std() > 0.03
    left = np.array([0xE6, 0x9F, 0x00]) / 255.0
    hue = pixels / np.maximum(pixels.max(axis=-1, keepdims=True), 1e-6)
    orange = (np.abs(hue - left / left.max()).max(axis=-1) < 0.12) & (pixels.max(axis=-1) > 0.3)
    assert orange.sum() > 20


@pytest.mark.slow
def test_axe_finds_no_serious_fault(opened: Opened, root: Path) -> None:
    assert serious_faults(opened.page, root) == []


@pytest.mark.slow
def test_the_patients_booklet_beside_it_draws_their_own_bone(
    browser: Browser, page: Path, root: Path
) -> None:
    file = page.with_name("patient.html")
    text = file.read_text(encoding="utf-8")
    for drawn in ("Drawing of the spine from the side", "Drawing of bone L1 seen from the feet"):
        assert drawn in text
    assert "In the middle it is 14 mm high. It should be about 24 mm." in text
    assert grade_of(text) <= 6.0
    view = browser.new_page()
    view.goto(file.as_uri())
    assert faults(view, root) == []
    view.close()
