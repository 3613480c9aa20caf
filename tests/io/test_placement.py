"""Where an image lies: our decision against the independent readers, and what is refused."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.errors import GeometryError
from kyphoplan.geometry import rotation
from kyphoplan.io.placement import (
    LPS_FROM_RAS,
    NiftiPlacement,
    is_sheared,
    nifti_affine,
    tilt_deg,
)

PLAIN = NiftiPlacement(
    shape=(10, 20, 30),
    pixdim=(1.0, 1.0, 1.0, 2.0),
    quaternion=(0.0, 0.0, 0.0),
    offset=(5.0, 6.0, 7.0),
    sform=((1, 0, 0, 5), (0, 1, 0, 6), (0, 0, 2, 7)),
    qform_code=1,
    sform_code=1,
)
angles = st.floats(-180.0, 180.0)
sizes = st.floats(0.3, 5.0)


@st.composite
def rigid(draw: st.DrawFn) -> np.ndarray:
    """Any right-angled placement, left- or right-handed [mm]."""
    affine = np.eye(4)
    flip = draw(st.sampled_from([1.0, -1.0]))
    turn = rotation([1, 0, 0], draw(angles)) @ rotation([0, 1, 0.3], draw(angles))
    affine[:3, :3] = turn @ np.diag([draw(sizes), draw(sizes), flip * draw(sizes)])
    affine[:3, 3] = [draw(st.floats(-500, 500)) for _ in range(3)]
    return affine


def header_of(affine: np.ndarray, *, qform: int, sform: int) -> NiftiPlacement:
    """The fields nibabel stores for a placement."""
    image = nib.Nifti1Image(np.zeros((10, 20, 30), np.int16), None)
    image.header.set_zooms(np.linalg.norm(affine[:3, :3], axis=0))
    image.set_qform(affine, code=qform)
    image.set_sform(affine, code=sform)
    h = image.header
    return NiftiPlacement(
        shape=(10, 20, 30),
        pixdim=[float(p) for p in h["pixdim"][:4]],
        quaternion=[float(h[f"quatern_{a}"]) for a in "bcd"],
        offset=[float(h[f"qoffset_{a}"]) for a in "xyz"],
        sform=np.array([h[f"srow_{a}"] for a in "xyz"]),
        qform_code=qform,
        sform_code=sform,
    )


@given(affine=rigid(), codes=st.sampled_from([(1, 0), (0, 1), (1, 1), (4, 2)]))
def test_any_right_angled_placement_is_found_whichever_code_is_set(affine, codes):
    header = header_of(affine, qform=codes[0], sform=codes[1])
    found, notices = nifti_affine(header)
    assert np.abs(LPS_FROM_RAS @ found - affine).max() < 1e-3  # float32 header, |offset| <= 500
    assert notices == ()


def test_ras_becomes_lps_by_turning_left_and_posterior():
    found, _ = nifti_affine(PLAIN)
    assert np.allclose(found @ [1, 0, 0, 1], [-6, -6, 7, 1])


@pytest.mark.parametrize(
    ("change", "problem", "remedy"),
    [
        ({"qform_code": 0, "sform_code": 0}, "orientation unknown", "convert it again"),
        ({"pixdim": (1, 0, 1, 2)}, "voxel size", "write the file again"),
        ({"pixdim": (1, -1, 1, 2)}, "voxel size", "write the file again"),
        ({"pixdim": (1, np.nan, 1, 2)}, "voxel size", "write the file again"),
        ({"pixdim": (1, 1.5, 1, 2)}, "in the header", "convert it again"),
        ({"sform": np.full((3, 4), np.nan)}, "not a number", "convert it again"),
        ({"sform": np.zeros((3, 4)), "qform_code": 0}, "in the placement", "convert it again"),
        ({"to_mm": 1000.0}, "cannot be a spine CT", "unit"),
        ({"to_mm": 0.001}, "cannot be a spine CT", "unit"),
    ],
)
def test_an_impossible_placement_is_refused_with_problem_and_remedy(change, problem, remedy):
    with pytest.raises(GeometryError) as refusal:
        nifti_affine(replace(PLAIN, **change))
    assert problem in str(refusal.value)
    assert remedy in str(refusal.value)


@pytest.mark.parametrize("flipped", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_a_mirror_between_sform_and_qform_is_refused_with_both_orientations(flipped):
    sform = np.array(PLAIN.sform, float)
    for axis in flipped:
        sform[:, axis] *= -1
    with pytest.raises(GeometryError, match=r"sform says \w{3}, qform says RAS"):
        nifti_affine(replace(PLAIN, sform=sform))


@pytest.mark.parametrize(("shift_mm", "told"), [(0.05, False), (0.2, True), (30.0, True)])
def test_a_shift_between_sform_and_qform_is_reported_above_a_tenth_of_a_millimetre(shift_mm, told):
    found, notices = nifti_affine(replace(PLAIN, offset=(5.0 + shift_mm, 6.0, 7.0)))
    assert found[0, 3] == -5.0  # the sform is used
    assert [n.code for n in notices] == (["sform_qform_disagree"] if told else [])


def test_metres_are_converted():
    small = replace(
        PLAIN,
        pixdim=(1.0, 1e-3, 1e-3, 2e-3),
        sform=np.array(PLAIN.sform) / 1000,
        offset=(5e-3, 6e-3, 7e-3),
        to_mm=1000.0,
    )
    assert np.allclose(nifti_affine(small)[0], nifti_affine(PLAIN)[0])


def test_a_sheared_placement_is_kept_and_reported():
    sform = np.array(PLAIN.sform, float)
    sform[:, 2] = [0, 2 * np.sin(0.3), 2 * np.cos(0.3)]
    found, notices = nifti_affine(replace(PLAIN, sform=sform, qform_code=0))
    assert is_sheared(found)
    assert tilt_deg(found) == pytest.approx(np.rad2deg(0.3))
    assert [n.code for n in notices] == ["gantry_tilt"]
