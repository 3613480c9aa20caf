"""Lines go to 3D Slicer and come back; whatever else a file holds is refused in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Level, Side
from kyphoplan.errors import CaseError
from kyphoplan.io.markups import Line, level_and_side, read_lines, write_line

LINE = Line(
    name="L1 left",
    entry_mm=np.array([12.345678, -100.25, 900.5]),
    target_mm=np.array([5.0, -130.0, 905.0]),
    outer_diameter_mm=4.191,
)


def written(tmp_path: Path) -> dict[str, Any]:
    path = write_line(tmp_path / "L1_left.mrk.json", LINE)
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def saved(tmp_path: Path, data: Any) -> Path:
    path = tmp_path / "x.mrk.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_line_comes_back(tmp_path: Path) -> None:
    (line,) = read_lines(write_line(tmp_path / "L1_left.mrk.json", LINE))
    assert np.allclose(line.entry_mm, LINE.entry_mm, atol=1e-9)
    assert np.allclose(line.target_mm, LINE.target_mm, atol=1e-9)
    assert line.outer_diameter_mm == LINE.outer_diameter_mm
    assert level_and_side(line.name) == (Level.L1, Side.LEFT)


def test_the_file_is_what_3d_slicer_reads(tmp_path: Path) -> None:
    """Fields of the Markups schema 1.0.3, read as plain JSON."""
    data = written(tmp_path)
    assert data["@schema"].endswith("markups-schema-v1.0.3.json#")
    (markup,) = data["markups"]
    assert (markup["type"], markup["coordinateSystem"]) == ("Line", "LPS")
    assert markup["coordinateUnits"] == "mm"
    places = np.array([point["position"] for point in markup["controlPoints"]])
    assert np.abs(places - [LINE.entry_mm, LINE.target_mm]).max() < 0.01
    assert [p["positionStatus"] for p in markup["controlPoints"]] == ["defined", "defined"]


def test_ras_is_turned_to_lps(tmp_path: Path) -> None:
    data = written(tmp_path)
    data["markups"][0]["coordinateSystem"] = "RAS"
    (line,) = read_lines(saved(tmp_path, data))
    assert np.allclose(line.entry_mm, LINE.entry_mm * [-1.0, -1.0, 1.0])


def test_a_line_drawn_from_the_target_is_turned_round(tmp_path: Path) -> None:
    data = written(tmp_path)
    data["markups"][0]["controlPoints"].reverse()
    (line,) = read_lines(saved(tmp_path, data))
    assert np.allclose(line.entry_mm, LINE.entry_mm)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"coordinateSystem": ""}, "does not say LPS or RAS"),
        ({"coordinateUnits": "cm"}, "not in millimetres"),
        ({"controlPoints": []}, "needs two points"),
        ({"controlPoints": [{"position": [1, 2]}, {"position": [1, 2, 3]}]}, "not a place"),
        ({"controlPoints": [{"position": [1, 2, "x"]}, {}]}, "not a place"),
        ({"controlPoints": [{"position": [1, 2, 1e999]}, {}]}, "not a place"),
        ({"controlPoints": [{"position": [1, 2, 1e300]}, {}]}, "not a place"),
        ({"controlPoints": [{"position": ["1", "2", "3"]}, {}]}, "not a place"),
        ({"controlPoints": [{"position": [1, True, 3]}, {}]}, "not a place"),
        ({"controlPoints": ["a", "b"]}, "not a place"),
        ({"controlPoints": [{"positionStatus": "undefined"}, {}]}, "was not placed"),
        ({"type": "Curve"}, "holds no line"),
    ],
)
def test_a_bad_line_is_refused_in_one_line(
    change: dict[str, Any], what: str, tmp_path: Path
) -> None:
    data = written(tmp_path)
    data["markups"][0] |= change
    with pytest.raises(CaseError, match=what) as refusal:
        read_lines(saved(tmp_path, data))
    assert "\n" not in str(refusal.value)
    assert "x.mrk.json: " in str(refusal.value)


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["markups", "type", "controlPoints", "position", "coordinateSystem"]),
        inner | st.just("Line"),
    ),
))  # fmt: skip
def test_any_json_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    path = saved(tmp_path_factory.mktemp("any"), data)
    with pytest.raises(CaseError):
        read_lines(path)


def test_no_file_and_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="does not exist"):
        read_lines(tmp_path / "none.mrk.json")
    (tmp_path / "bad.mrk.json").write_text("{")
    with pytest.raises(CaseError, match="is no JSON"):
        read_lines(tmp_path / "bad.mrk.json")


@pytest.mark.parametrize(
    ("name", "level", "side"),
    [
        ("T13-Right_2", Level.T13, Side.RIGHT),
        ("L1 L2 left", None, Side.LEFT),
        ("left right", None, None),
    ],
)
def test_names_are_read_only_where_they_are_clear(
    name: str, level: Level | None, side: Side | None
) -> None:
    assert level_and_side(name) == (level, side)
