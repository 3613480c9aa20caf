"""What the tests of the simulation share."""

import pytest

from kyphoplan.geometry import Array

from .blocks import waisted


@pytest.fixture(scope="session")
def shell_body() -> Array:
    """A small vertebra-like body with shell and void."""
    return waisted(24, 1.0)
