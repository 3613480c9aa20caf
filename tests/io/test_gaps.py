"""A series with a gap is refused, with the gap in mm and the levels that it touches."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import kyphoplan as kp
import kyphoplan.io as kio
from kyphoplan.cli.app import app
from kyphoplan.phantom import Scan

STEP_MM = 3.0


@pytest.fixture(scope="module")
def scan() -> Scan:
    spine = kp.Phantom(levels=(kp.Level.T12, kp.Level.L1, kp.Level.L2), collapses=())
    return kp.scan(spine, spacing_mm=(3.0, 3.0, STEP_MM))


def refusal(scan: Scan, without: slice, place: Path) -> str:
    """Measure a series from which slices were taken; return the line on stderr."""
    labels = kio.write_volume(scan.labels, place / "labels.nii.gz")
    folder = kio.write_dicom_series(scan.ct, place / "ct")
    for file in sorted(folder.glob("*.dcm"))[without]:
        file.unlink()
    given = ["measure", "-i", folder, "-s", labels, "-o", place / "result", "-q"]
    done = CliRunner().invoke(app, [str(word) for word in given])
    assert done.exit_code == 3
    assert not (place / "result").exists()
    return done.stderr


def slice_at(scan: Scan, level: kp.Level) -> int:
    """Return the slice through the middle of a body."""
    frame = kp.locate(scan.labels, scan.ct)[level].frame
    assert frame is not None
    return round(float(scan.ct.to_indices(frame.origin_mm)[2]))


def test_one_missing_slice_names_its_gap_and_its_level(scan: Scan, tmp_path: Path) -> None:
    k = slice_at(scan, kp.Level.L2)
    said = refusal(scan, slice(k, k + 1), tmp_path)
    low, high = (scan.ct.affine[2, 3] + STEP_MM * n for n in (k - 1, k + 1))
    assert f"6.00 mm instead of 3.00 mm between {low:.2f} and {high:.2f} mm" in said
    assert "give the complete series, or only the " in said
    assert said.strip().endswith("the gap touches L2")


def test_a_gap_away_from_all_levels_says_so(scan: Scan, tmp_path: Path) -> None:
    said = refusal(scan, slice(1, 2), tmp_path)
    assert said.strip().endswith("the gap touches no labelled level")


def test_a_wide_gap_names_all_that_it_touches(scan: Scan, tmp_path: Path) -> None:
    low, high = (slice_at(scan, level) for level in (kp.Level.L2, kp.Level.T12))
    said = refusal(scan, slice(low, high), tmp_path)
    assert f"({high - low} missing)" in said
    assert said.strip().endswith("the gap touches T12, L1, L2")


def test_several_gaps_are_counted_and_the_longest_even_part_is_named(
    scan: Scan, tmp_path: Path
) -> None:
    count = scan.ct.shape[2]
    said = refusal(scan, slice(2, 12, 2), tmp_path)
    assert ", and 2 more along the normal" in said
    first = scan.ct.affine[2, 3] + STEP_MM * 11
    last = scan.ct.affine[2, 3] + STEP_MM * (count - 1)
    assert f"only the {count - 11} even slices from {first:.2f} to {last:.2f} mm" in said
