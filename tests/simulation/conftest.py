"""What the tests of the simulation share."""

import pytest

import kyphoplan as kp
from kyphoplan.case import Level, Vertebra, Volume
from kyphoplan.geometry import Array

from .blocks import waisted


@pytest.fixture(scope="session")
def shell_body() -> Array:
    """A small vertebra-like body with shell and void."""
    return waisted(24, 1.0)


@pytest.fixture(scope="session")
def l1() -> tuple[Vertebra, Volume]:
    """L1 of the phantom and its scan."""
    scan = kp.scan(kp.Phantom(levels=(Level.L1,)))
    return kp.locate(scan.labels, scan.ct)[Level.L1], scan.ct
