"""Phantoms measured once, shared by the tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Measurements, Spine
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Collapse, Phantom, Scan, scan


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A scan, what was found in it and what was measured on it."""

    image: Scan
    spine: Spine
    figures: Measurements


Measuring = Callable[..., Measured]


@cache
def _measured(phantom: Phantom, step_mm: float, with_ct: bool) -> Measured:
    image = scan(phantom, spacing_mm=(step_mm,) * 3)
    ct = image.ct if with_ct else None
    spine = locate(image.labels, ct)
    return Measured(image=image, spine=spine, figures=measure(spine, ct))


@pytest.fixture(scope="session")
def measuring() -> Measuring:
    """Scan and measure a phantom; equal phantoms once."""

    def run(phantom: Phantom, *, step_mm: float = 1.5, with_ct: bool = False) -> Measured:
        return _measured(phantom, step_mm, with_ct)

    return run


@pytest.fixture(scope="session")
def intact(measuring: Measuring) -> Measured:
    """T12 to L2 at 1 mm with its CT."""
    phantom = Phantom(levels=(Level.T12, Level.L1, Level.L2))
    return measuring(phantom, step_mm=1.0, with_ct=True)


def broken(**loss: Any) -> Phantom:
    """T12 to L2 with one fracture of L1."""
    return Phantom(
        levels=(Level.T12, Level.L1, Level.L2), collapses=(Collapse(level=Level.L1, **loss),)
    )
