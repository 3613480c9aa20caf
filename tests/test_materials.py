"""Every law and constant says where it comes from; none from memory is a default."""

import numpy as np
import pytest

from kyphoplan.materials import CEMENT, MODULUS, PMMA, STRENGTH, DensityLaw, Status, default

LAWS = [*MODULUS.values(), *STRENGTH.values()]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_law_has_a_source_and_rises_from_nothing(law: DensityLaw) -> None:
    assert law.source
    density = np.linspace(-100.0, 1500.0, 50)
    stress = law(density)
    assert (stress[density <= 0.0] == 0.0).all()
    assert (np.diff(stress) >= 0.0).all()


@pytest.mark.parametrize("laws", [MODULUS, STRENGTH], ids=["modulus", "strength"])
def test_the_default_is_not_from_memory(laws: dict[str, DensityLaw]) -> None:
    assert default(laws).status is not Status.MEMORY


def test_the_default_laws_are_those_of_the_published_set_up() -> None:
    assert float(default(MODULUS)(500.0)) == pytest.approx(2980.0 * 0.5**1.05)
    assert float(default(STRENGTH)(500.0)) == pytest.approx(37.4 * 0.5**1.39)


@pytest.mark.parametrize("material", [PMMA, CEMENT], ids=["pmma", "cement"])
def test_a_material_names_its_source(material: object) -> None:
    assert material.source  # type: ignore[attr-defined]
    assert material.status is not Status.MEMORY  # type: ignore[attr-defined]
