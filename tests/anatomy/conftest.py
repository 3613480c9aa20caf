"""One broken spine at 1 mm, located from its labels and with its CT."""

from dataclasses import dataclass

import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Spine
from kyphoplan.phantom import Collapse, Phantom, Scan, scan


@dataclass(frozen=True, kw_only=True, eq=False)
class Located:
    """A scan with what was found in it."""

    image: Scan
    from_labels: Spine
    with_ct: Spine

    @property
    def both(self) -> tuple[Spine, Spine]:
        """The spine from the labels alone and with the CT."""
        return self.from_labels, self.with_ct


def located(image: Scan) -> Located:
    return Located(
        image=image, from_labels=locate(image.labels), with_ct=locate(image.labels, image.ct)
    )


@pytest.fixture(scope="session")
def burst() -> Located:
    """T12 to L2; L1 burst: wedged, its wall pushed back; left pedicles narrower; tilted."""
    fracture = Collapse(
        level=Level.L1,
        anterior_loss=0.4,
        middle_loss=0.3,
        posterior_loss=0.1,
        retropulsion_mm=5.0,
    )
    phantom = Phantom(
        levels=(Level.T12, Level.L1, Level.L2), collapses=(fracture,), left_pedicle_scale=0.8
    )
    return located(scan(phantom, tilt_deg=(8.0, -6.0, 5.0)))


@pytest.fixture(scope="session")
def spurred() -> Located:
    """T12 and L1 with osteophytes that nearly bridge the disc between them."""
    lips = ((Level.T12, 4.0), (Level.L1, 4.0))
    return located(scan(Phantom(levels=(Level.T12, Level.L1), osteophytes=lips)))
