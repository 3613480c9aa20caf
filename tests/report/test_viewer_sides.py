"""The drawn slices lie as their letters say: a bright marker lights up where it is."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from kyphoplan.case import Volume
from kyphoplan.geometry import Array
from kyphoplan.report.surgeon import surgeon_page

from ..planned import planned
from .browsing import needs_bundle, picture_of, visit

MARKER_HU, SIZE_MM, ASIDE_MM, AHEAD_MM = 2500, 3.0, 30.0, 18.0
TILES = 3  # axial, coronal, sagittal in a row
LIT = 0.25  # [1] of full brightness: more than the marker differs by from soft tissue


def marked(step_mm: Array) -> tuple[Volume, Array]:
    """The CT with a bright cube beside the first tip, at the height of the slice shown."""
    c = planned()
    tip = c.plan.levels[0].trajectories[0].target_mm
    middle = c.spine["L1"].frame
    assert middle is not None
    centre = np.array([middle.origin_mm[0], middle.origin_mm[1], tip[2]]) + step_mm
    voxels = c.ct.voxels.copy()
    low, high = (
        np.round(c.ct.to_indices(centre + sign * SIZE_MM)).astype(int) for sign in (-1.0, 1.0)
    )
    voxels[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1] = MARKER_HU
    return Volume(voxels, c.ct.affine), centre


def drawn(browser: Browser, folder: Path, ct: Volume) -> Array:
    """Return the slices of the page of a CT (H, W, 3)."""
    c = planned()
    page = folder / "page.html"
    page.write_text(surgeon_page(c.plan, c.spine, c.measurements, ct), encoding="utf-8")
    opened = visit(browser.new_page(viewport={"width": 1120, "height": 900}), page.as_uri())
    assert opened.complaints == []
    picture = picture_of(opened.page, "slices")
    opened.page.close()
    return picture


def place_of_marker(browser: Browser, folder: Path, plain: Array, step_mm: Array) -> Array:
    """Where the marker is drawn: column and row as shares of the canvas."""
    with_marker = drawn(browser, folder, marked(step_mm)[0])
    lit = (with_marker - plain).min(axis=-1) > LIT
    rows, columns = lit.nonzero()
    assert columns.size > 10, "the marker is not drawn"
    tiles = np.unique(columns * TILES // lit.shape[1])
    assert tiles.size == 1, "the marker lies in the axial slice alone"
    return np.array([columns.mean() / lit.shape[1], rows.mean() / lit.shape[0]])


@pytest.mark.slow
def test_the_axial_slice_shows_the_patients_left_on_the_right(
    browser: Browser, tmp_path: Path
) -> None:
    """Seen from the feet, front up: as scans are shown, and as the letters L and R say."""
    needs_bundle()
    plain = drawn(browser, tmp_path, planned().ct)
    left, right, behind = (
        place_of_marker(browser, tmp_path, plain, np.array(step))
        for step in (
            [ASIDE_MM, -AHEAD_MM, 0.0],
            [-ASIDE_MM, -AHEAD_MM, 0.0],
            [ASIDE_MM, 30.0, 0.0],
        )
    )
    axial = np.floor(left[0] * TILES)
    assert np.floor(right[0] * TILES) == axial
    assert left[0] * TILES - axial > 0.5  # the right half of its tile
    assert right[0] * TILES - axial < 0.5
    assert left[1] == pytest.approx(right[1], abs=0.02)
    assert behind[1] > left[1] + 0.1  # the front is up
