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
