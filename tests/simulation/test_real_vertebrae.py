"""Real vertebrae: the published model of VerSe 004's L2, and two levels of VerSe 012."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import kyphoplan as kp
from kyphoplan.geometry import Array
from kyphoplan.materials import MODULUS, PMMA, STRENGTH
from kyphoplan.simulation import Method, solve
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.crushing import Bone, crush
from kyphoplan.simulation.specimen import Caps, bone_of, cut
from kyphoplan.simulation.strength import measure_strength, plates

CALCULIX_N_PER_MM = 10548.44  # [N/mm] CalculiX 2.20, SPOOLES, moduli in classes of 0.5 %
DISC = {"bottom": 5, "top": 6}  # labels of the cement discs
FLOOR_MPA = 1e-4


class Model:
    """The published model: moduli, yield stress, and the nodes of the two discs."""

    def __init__(self, folder: Path) -> None:
        name = "sub-verse004_0000_vertebra_21"
        density = np.asarray(nib.load(folder / f"{name}_im.nii.gz").dataobj, float)
        labels = np.asarray(nib.load(folder / f"{name}_seg.nii.gz").dataobj).astype(int)
        pieces, _ = ndimage.label(labels > 0)
        labels[pieces != np.bincount(pieces.ravel())[1:].argmax() + 1] = 0
        where = np.argwhere(labels > 0)
        box = tuple(slice(a, b) for a, b in zip(where.min(0), where.max(0) + 1, strict=True))
        density, labels = density[box], labels[box]
        disc = labels >= DISC["bottom"]
        modulus = np.maximum(MODULUS["walle"](density), FLOOR_MPA)
        self.modulus = np.select([disc, labels > 0], [PMMA.modulus, modulus], 0.0)
        limit = np.maximum(STRENGTH["walle"](density), 1e-3)
        self.limit = np.select([disc, labels > 0], [PMMA.strength, limit], 0.0)
        self.nodes = _nodes(labels > 0)
        self.ends = {}
        for name, label in DISC.items():
            here = np.argwhere(labels == label)[:, 2]
            k = here.max() + 1 if name == "top" else here.min()
            self.ends[name] = np.zeros_like(self.nodes)
            self.ends[name][:, :, k] = _nodes(labels == label)[:, :, k]

    def prescribed(self, shortening_mm: float) -> Array:
        given = np.full((*self.nodes.shape, 3), np.nan)
        given[self.ends["bottom"], 2] = 0.0
        given[self.ends["top"], 2] = -shortening_mm
        return given


def _nodes(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    nodes = np.zeros([n + 1 for n in solid.shape], bool)
    for a, b, c in np.ndindex(2, 2, 2):
        nodes[a : a + solid.shape[0], b : b + solid.shape[1], c : c + solid.shape[2]] |= solid
    return nodes


@pytest.fixture(scope="module")
def model(shared: Path) -> Model:
    return Model(shared / "data" / "verse004-L2-fe")


def test_the_mesh_is_the_published_one(model: Model) -> None:
    assert (model.modulus > 0.0).sum() == 67_186
    assert model.nodes.sum() == 77_892
    assert model.ends["top"].sum() == 1_432
    assert model.ends["bottom"].sum() == 1_413


def test_its_stiffness_is_that_of_calculix(model: Model) -> None:
    method = Method(free_motion=True)
    rough = solve(model.modulus, 1.0, model.prescribed(0.2), method=method)
    assert rough.converged
    assert rough.iterations <= 25
    found = solve(model.modulus, 1.0, model.prescribed(0.2), tolerance=1e-8, method=method)
    force = float(found.reaction_n[model.ends["top"], 2].sum())
    assert force / -0.2 == pytest.approx(CALCULIX_N_PER_MM, rel=1e-3)
    assert 2.0 * found.strain_energy_mj / 0.2**2 == pytest.approx(force / -0.2, rel=1e-5)


@pytest.mark.soak
def test_it_crushes_in_balance(model: Model) -> None:
    bone = Bone(modulus_mpa=model.modulus, yield_mpa=model.limit, poisson=0.3, spacing_mm=1.0)
    shares = np.array([0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
    found = crush(bone, model.prescribed(0.74), shares, method=Method(free_motion=True))
    forces = [step.force_n for step in found.steps]
    assert all(step.balanced for step in found.steps)
    assert 1000.0 < max(forces) < 2000.0
    assert np.all(np.diff(forces) > 0.0)


@pytest.mark.soak
@pytest.mark.parametrize("level", ["T12", "L1"])
def test_verse012_needs_few_steps(shared: Path, level: str) -> None:
    folder = shared / "data" / "verse012-ct-L1fx"
    ct = kp.read_volume(folder / "sub-verse012_ct.nii.gz")
    labels = kp.read_labels(folder / "sub-verse012_seg-vert_msk.nii.gz")
    specimen = cut(kp.locate(labels, ct)[level], ct)
    bone = bone_of(specimen, given(0.8, -5.0))
    solution = solve(bone.modulus_mpa, 1.0, plates(bone, -0.2))
    assert solution.converged
    assert solution.iterations <= 25


@pytest.mark.soak
@pytest.mark.parametrize("level", ["T12", "L2"])
def test_between_discs_verse012_has_a_failure_load(shared: Path, level: str) -> None:
    folder = shared / "data" / "verse012-ct-L1fx"
    ct = kp.read_volume(folder / "sub-verse012_ct.nii.gz")
    labels = kp.read_labels(folder / "sub-verse012_seg-vert_msk.nii.gz")
    specimen = cut(kp.locate(labels, ct)[level], ct, 2.0, caps=Caps.DISC)
    found = measure_strength(specimen, given(0.8, -5.0))
    assert found.failure.value is not None, found.failure.reason
