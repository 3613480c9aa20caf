"""Somebody's own plan is read as it is meant, not as it praises itself."""

import json
from pathlib import Path

import pytest

from kyphoplan.case import Approach
from kyphoplan.report.plan_reading import read_plan

ENDS = {"entry_lps_mm": [20.0, 40.0, 0.0], "target_lps_mm": [5.0, 0.0, 0.0]}


@pytest.mark.parametrize(
    ("sides", "said", "meant"),
    [
        (("left", "right"), "bipedicular", Approach.BIPEDICULAR),
        (("left",), "bipedicular", Approach.UNIPEDICULAR),
        (("left", "right"), "extrapedicular", Approach.EXTRAPEDICULAR),
        (("right",), "none", Approach.UNIPEDICULAR),
    ],
)
def test_a_cannula_meant_beside_the_pedicle_is_read_as_such(
    tmp_path: Path, sides: tuple[str, ...], said: str, meant: Approach
) -> None:
    ways = [{"side": side, "approach": said, "accepted": True, **ENDS} for side in sides]
    data = {"schema": "kyphoplan.plan/1", "levels": [{"level": "T8", "trajectories": ways}]}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    (level,) = read_plan(path, outer_diameter_mm=3.4).levels
    assert level.approach is meant
    assert all(way.approach is meant and not way.accepted for way in level.trajectories)
    assert all(way.grades == "not known" for way in level.trajectories)
