"""What a phantom may be."""

import pytest

from kyphoplan.case import Level
from kyphoplan.phantom import Collapse, Phantom


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": (Level.T4,)}, "T5 to L6"),
        ({"levels": ()}, "T5 to L6"),
        ({"levels": (Level.T12, Level.L2)}, "L2 does not follow T12"),
        ({"collapses": (Collapse(level=Level.L5),)}, "at most one"),
        ({"collapses": (Collapse(level=Level.L1), Collapse(level=Level.L1))}, "at most one"),
        ({"size": 3.0}, "size 3.0"),
    ],
)
def test_an_impossible_phantom_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Phantom(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [("anterior_loss", 0.9), ("middle_loss", -0.1), ("retropulsion_mm", 20.0), ("cleft_ml", 9.0)],
)
def test_an_impossible_fracture_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Collapse(level=Level.L1, **{name: value})  # type: ignore[arg-type]


def test_the_unbroken_spine_differs_in_its_fractures_only() -> None:
    phantom = Phantom(collapses=(Collapse(level=Level.L1, middle_loss=0.3),), size=0.9)
    assert phantom.unbroken() == Phantom(size=0.9)


def test_rare_thirteenth_and_sixth_levels_fit_in() -> None:
    assert Phantom(levels=(Level.T12, Level.T13, Level.L1)).levels[1] is Level.T13
    assert Phantom(levels=(Level.L5, Level.L6)).osteophyte_mm(Level.L6) == 0.0
