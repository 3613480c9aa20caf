"""A vertebra is cut out whole, upright, capped flat, and stronger when it is denser."""

import numpy as np
import pytest
from scipy import ndimage

from kyphoplan.case import Vertebra, Volume
from kyphoplan.errors import CaseError
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.specimen import Specimen, Tissue, bone_of, cut
from kyphoplan.simulation.strength import measure_strength


@pytest.fixture(scope="module")
def specimen(l1: tuple[Vertebra, Volume]) -> Specimen:
    return cut(*l1, 2.0)


def test_it_is_one_piece_between_flat_plates(specimen: Specimen) -> None:
    solid = specimen.tissue > 0
    _, pieces = ndimage.label(solid)
    assert pieces == 1
    for plate in (specimen.tissue[:, :, 0], specimen.tissue[:, :, -1]):
        assert (plate == Tissue.CEMENT).sum() * specimen.edge_mm**2 > 400.0  # [mm2]


def test_mineral_is_kept_by_coarse_voxels(l1: tuple[Vertebra, Volume]) -> None:
    masses = []
    for edge in (1.0, 2.0):
        block = cut(*l1, edge)
        bone = block.tissue == Tissue.BONE
        masses.append(float((block.hu * block.share)[bone].sum()) * edge**3)
    assert masses[1] == pytest.approx(masses[0], rel=0.03)


def test_its_voxels_lie_in_the_vertebra(l1: tuple[Vertebra, Volume], specimen: Specimen) -> None:
    vertebra = l1[0]
    assert vertebra.frame is not None
    voxels = np.argwhere((specimen.tissue == Tissue.BONE) & (specimen.share > 0.9))
    places = voxels @ specimen.affine[:3, :3].T + specimen.affine[:3, 3]
    assert vertebra.parts is not None
    index = np.rint(vertebra.parts.to_indices(places)).astype(int)
    assert (vertebra.parts.voxels[tuple(index.T)] > 0).mean() > 0.99


def test_denser_bone_is_stiffer_and_stronger(specimen: Specimen) -> None:
    thin = measure_strength(specimen, given(0.5, 0.0, spread=0.05))
    dense = measure_strength(specimen, given(1.0, 0.0, spread=0.05))
    for name in ("stiffness", "bending", "linear_failure", "failure"):
        low, high = getattr(thin, name), getattr(dense, name)
        assert low.value is not None, low.reason
        assert 1.3 * low.value < high.value
        assert low.low < low.value < low.high


def test_a_vertebra_outside_the_scan_is_refused(l1: tuple[Vertebra, Volume]) -> None:
    from dataclasses import replace  # noqa: PLC0415

    lost = replace(l1[0], parts=None, reason="cropped: cut by the field of view")
    with pytest.raises(CaseError, match="cropped"):
        cut(lost, l1[1])


def test_cement_has_its_own_stiffness(specimen: Specimen) -> None:
    bone = bone_of(specimen, given(0.8))
    assert (bone.modulus_mpa[specimen.tissue == Tissue.CEMENT] == 2500.0).all()
    assert (bone.modulus_mpa[specimen.tissue == Tissue.VOID] == 0.0).all()
    assert (bone.modulus_mpa[specimen.tissue == Tissue.BONE] > 0.0).all()
