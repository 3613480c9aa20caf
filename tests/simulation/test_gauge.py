"""The vertebra's own shortening is read between its endplates, whatever lies over them."""

import numpy as np
import pytest

from kyphoplan.errors import CaseError
from kyphoplan.simulation import solve
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.gauge import Gauge, touching
from kyphoplan.simulation.specimen import Caps, Specimen, Tissue, bone_of
from kyphoplan.simulation.strength import plates


def stack(caps: Caps, *, bone: int = 8, cap: int = 3) -> Specimen:
    """A bar of bone between two caps."""
    tissue = np.full((6, 6, bone + 2 * cap), Tissue.BONE, np.uint8)
    kind = Tissue.CEMENT if caps is Caps.CEMENT else Tissue.ANNULUS
    tissue[:, :, :cap] = tissue[:, :, -cap:] = kind
    hu = np.full(tissue.shape, 300.0)
    share = np.ones(tissue.shape)
    return Specimen(tissue=tissue, hu=hu, share=share, edge_mm=2.0, affine=np.eye(4), caps=caps)


def test_the_height_is_that_of_the_bone() -> None:
    assert Gauge(stack(Caps.DISC)).height_mm == pytest.approx(16.0)


def test_a_uniform_strain_is_read_as_it_is() -> None:
    specimen = stack(Caps.DISC)
    nodes = np.zeros((*(n + 1 for n in specimen.tissue.shape), 3))
    nodes[..., 2] = -0.01 * 2.0 * np.arange(nodes.shape[2])
    assert Gauge(specimen)(nodes) == pytest.approx(0.16)


def test_a_shift_and_a_turn_are_no_shortening() -> None:
    specimen = stack(Caps.DISC)
    nodes = np.zeros((*(n + 1 for n in specimen.tissue.shape), 3))
    nodes[..., 2] = 0.3 + 0.02 * np.arange(nodes.shape[0])[:, None, None]
    assert Gauge(specimen)(nodes) == pytest.approx(0.0, abs=1e-12)


def test_soft_caps_take_nearly_all_of_the_way_and_stiff_ones_little() -> None:
    shares = {}
    for caps in Caps:
        specimen = stack(caps)
        bone = bone_of(specimen, given(0.8))
        solution = solve(bone.modulus_mpa, 2.0, plates(bone, -0.1), poisson=bone.poisson)
        shares[caps] = Gauge(specimen)(solution.displacement_mm) / 0.1
    assert 0.7 < shares[Caps.CEMENT] < 1.0
    assert 0.0 < shares[Caps.DISC] < 0.1


def test_islands_of_a_cap_that_no_plate_holds_are_not_gauged() -> None:
    specimen = stack(Caps.DISC)
    tissue = specimen.tissue.copy()
    tissue[2, 2, 7] = Tissue.ANNULUS
    other = Specimen(
        tissue=tissue,
        hu=specimen.hu,
        share=specimen.share,
        edge_mm=2.0,
        affine=specimen.affine,
        caps=Caps.DISC,
    )
    assert Gauge(other).height_mm == pytest.approx(16.0)


def test_without_caps_it_refuses() -> None:
    specimen = stack(Caps.DISC)
    specimen.tissue[:] = Tissue.BONE
    with pytest.raises(CaseError, match="do not reach"):
        Gauge(specimen)


def test_nodes_of_one_voxel_are_its_eight_corners() -> None:
    voxels = np.zeros((3, 3, 3), bool)
    voxels[1, 1, 1] = True
    assert touching(voxels).sum() == 8
