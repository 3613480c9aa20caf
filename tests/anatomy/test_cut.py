"""The cut behind the pedicles follows a leaning back, and leaves the arch behind."""

import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Measure
from kyphoplan.phantom import Collapse, Phantom, scan

pytestmark = pytest.mark.slow
SHARE = 0.03  # [1] target of a volume in the validation


def volume(phantom: Phantom) -> tuple[Measure, float]:
    image = scan(phantom, spacing_mm=(0.8, 0.8, 1.0), tilt_deg=(6.0, 5.0, 0.0))
    body = locate(image.labels)[phantom.levels[0]].body
    assert body is not None
    return body.volume, image.truth[phantom.levels[0]].body_volume_ml


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.56])
def test_a_wedge_keeps_the_bone_under_its_pedicles(loss: float) -> None:
    """Half the wedge's angle is the lean of its back: up to 14 degrees."""
    fracture = Collapse(
        level=Level.L2,
        anterior_loss=loss,
        middle_loss=0.65 * loss,
        posterior_loss=0.07 * loss,
        endplate="superior",
    )
    found, true = volume(Phantom(levels=(Level.L2,), collapses=(fracture,) if loss else ()))
    assert found.value == pytest.approx(true, rel=SHARE)
