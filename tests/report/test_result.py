"""The result folder: whole or not there, the same facts in every file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kyphoplan.case import Level
from kyphoplan.errors import OutputError
from kyphoplan.report import draw_all, png_of, write_measurements
from kyphoplan.report.sagittal import draw_fracture

from .conftest import Case, without_figures


@pytest.fixture(scope="module")
def result(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here") / "a result, ünïcode"
    return write_measurements(folder, case.measurements, case.spine, case.ct)


def test_it_holds_figures_page_and_pictures(result: Path) -> None:
    names = sorted(p.relative_to(result).as_posix() for p in result.rglob("*") if p.is_file())
    assert [n for n in names if not n.startswith(".")] == [
        "figures/L1-canal.png",
        "figures/L1-pedicles.png",
        "figures/L1-sagittal.png",
        "figures/overview.png",
        "measurements.html",
        "measurements.json",
    ]


def test_page_and_json_tell_the_same_warnings(result: Path) -> None:
    data = json.loads((result / "measurements.json").read_text(encoding="utf-8"))
    page = (result / "measurements.html").read_text(encoding="utf-8")
    assert all(w["text"] in page and w["remedy"] in page for w in data["warnings"])


def test_an_existing_result_is_kept_unless_told(case: Case, result: Path) -> None:
    before = (result / "measurements.json").read_bytes()
    with pytest.raises(OutputError, match="holds a result"):
        write_measurements(result, case.measurements, case.spine)
    assert (result / "measurements.json").read_bytes() == before


def test_a_result_is_replaced_when_told(case: Case, tmp_path: Path) -> None:
    intact = replace(case.measurements, vertebrae=(case.measurements["T12"],), kyphosis=())
    folder = write_measurements(tmp_path / "r", case.measurements, case.spine)
    write_measurements(folder, intact, case.spine, overwrite=True)
    assert [p.name for p in (folder / "figures").iterdir()] == ["overview.png"]


def test_chosen_levels_are_drawn_and_only_what_was_found(case: Case) -> None:
    bare = replace(case.spine["T12"], canal=None, left_pedicle=None, right_pedicle=None)
    spine = replace(case.spine, vertebrae=(bare, *case.spine.vertebrae[1:]))
    pictures = draw_all(case.measurements, spine, levels=[Level.T12])
    assert [p.name for p in pictures] == ["overview", "T12-sagittal"]


def test_nothing_located_still_gives_a_result(case: Case, tmp_path: Path) -> None:
    lost = replace(
        case.spine["L1"], frame=None, parts=None, body=None, canal=None, reason="too few slices"
    )
    row = without_figures(case.measurements["L1"], "too few slices")
    measurements = replace(case.measurements, vertebrae=(row,), kyphosis=())
    spine = replace(case.spine, vertebrae=(lost,))
    folder = write_measurements(tmp_path / "r", measurements, spine, levels=[Level.L1])
    assert not list((folder / "figures").iterdir())


def test_a_picture_carries_its_intended_use_and_is_made_the_same_twice(case: Case) -> None:
    first, second = (
        png_of(draw_fracture(case.spine, case.measurements, Level.L1)) for _ in range(2)
    )
    assert first == second
    assert b"not for diagnosis or treatment" in first
