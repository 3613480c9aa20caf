"""Every law and constant says where it comes from; none from memory is a default."""

import numpy as np
import pytest

from kyphoplan.materials import (
    ANNULUS,
    CEMENTS,
    FLOWING,
    MARROW,
    MATERIALS,
    MODULUS,
    NUCLEUS,
    STRENGTH,
    WHOLE_DISC,
    DensityLaw,
    FlowingCement,
    Material,
    Quantity,
    Status,
    default,
)

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


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_is_possible_and_names_its_source(name: str) -> None:
    material = MATERIALS[name]
    assert material.source
    assert material.modulus > 0.0
    assert material.strength >= 0.0
    assert 0.0 <= material.poisson < 0.5


def test_from_memory_is_said_and_only_marrow_is() -> None:
    assert [m for m in MATERIALS.values() if m.status is Status.MEMORY] == [MARROW]
    assert "from memory" in MARROW.source


def bulk(material: Material) -> float:
    return material.modulus / (3.0 * (1.0 - 2.0 * material.poisson))


@pytest.mark.parametrize("material", [ANNULUS, NUCLEUS, WHOLE_DISC, MARROW])
def test_soft_tissue_resists_volume_much_more_than_shape(material: Material) -> None:
    shear = material.modulus / (2.0 * (1.0 + material.poisson))
    assert bulk(material) > 8.0 * shear


def test_marrow_lies_within_what_was_measured() -> None:
    assert 0.25e-3 <= MARROW.modulus <= 24.7e-3


def test_the_linear_law_and_the_default_power_agree_in_the_range_of_spongy_bone() -> None:
    density = np.linspace(80.0, 300.0, 12)
    linear, power = MODULUS["kopperdahl"](density), default(MODULUS)(density)
    assert linear == pytest.approx(power, rel=0.12)


NUMBERS = {
    **FLOWING,
    **{
        f"{cement.name}: {name}": getattr(cement, name)
        for cement in CEMENTS.values()
        for name in ("consistency", "doubling_s", "index")
    },
}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_flows_has_a_source_and_a_range_and_is_not_from_memory(name: str) -> None:
    number: Quantity = NUMBERS[name]
    assert number.source
    assert number.unit
    assert number.status is not Status.MEMORY
    assert 0.0 < number.low < number.high
    if number.status is Status.ASSUMED:
        assert number.high >= 1.3 * number.low  # what is assumed is drawn widely
    drawn = [number.drawn(np.random.default_rng(seed)) for seed in range(20)]
    assert all(number.low <= value <= number.high for value in drawn)
    assert len(set(drawn)) == 20


def test_a_range_without_its_value_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold"):
        Quantity(value=3.0, low=1.0, high=2.0, unit="1", source="", status=Status.ASSUMED)


def test_high_viscosity_is_higher() -> None:
    high, low = (CEMENTS[f"{kind} viscosity"] for kind in ("high", "low"))
    assert high.consistency.low > low.consistency.high
    assert isinstance(high, FlowingCement)
