"""The navigation table is read back by Python's own csv within 0.01 mm, and runs no formula."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kyphoplan.case import Plan
from kyphoplan.io.navigation import COLUMNS, write_navigation

from ..planning.plans import drawn_plan


def rows(path: Path, plan: Plan) -> list[dict[str, str]]:
    with write_navigation(path, plan).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def place(row: dict[str, str], point: str, space: str) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([float(row[f"{point}_{axis}_{space}_mm"]) for axis in "xyz"])


def test_every_trajectory_comes_back_in_both_spaces(tmp_path: Path) -> None:
    plan = drawn_plan()
    read = rows(tmp_path / "n.csv", plan)
    trajectories = plan.levels[0].trajectories
    assert [(r["level"], r["side"]) for r in read] == [("L1", "left"), ("L1", "right")]
    for row, trajectory in zip(read, trajectories, strict=True):
        assert tuple(row) == COLUMNS
        for point in ("entry", "target"):
            true = getattr(trajectory, f"{point}_mm")
            assert np.abs(place(row, point, "lps") - true).max() < 0.01
            assert np.abs(place(row, point, "ras") * [-1, -1, 1] - true).max() < 0.01
        depth = np.linalg.norm(place(row, "target", "lps") - place(row, "entry", "lps"))
        assert float(row["depth_mm"]) == pytest.approx(depth, abs=0.01)
        assert float(row["sagittal_angle_deg"]) == -3.25


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", " =1"])
def test_no_text_is_a_formula(evil: str, tmp_path: Path) -> None:
    plan = drawn_plan()
    level = plan.levels[0]
    spoilt = replace(level, trajectories=(replace(level.trajectories[0], reason=evil),))
    (row,) = rows(tmp_path / "n.csv", replace(plan, levels=(spoilt,)))
    assert row["reason"].startswith("'")
    numbers = {name for name in COLUMNS if name.endswith(("_mm", "_deg"))}
    for name, cell in row.items():
        assert name in numbers or cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}
        assert name not in numbers or np.isfinite(float(cell))


def test_a_plan_without_trajectories_is_a_table_without_rows(tmp_path: Path) -> None:
    assert rows(tmp_path / "n.csv", Plan(levels=(), notices=())) == []
