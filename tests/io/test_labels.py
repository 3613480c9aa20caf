"""Which value is which vertebra: stated or proven, never guessed."""

import json
from contextlib import suppress
from itertools import pairwise

import nibabel as nib
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kyphoplan.io as kio
from kyphoplan.case import LabelMap, Level, Volume, follows
from kyphoplan.errors import CaseError
from kyphoplan.io.label_proof import prove_scheme
from kyphoplan.io.label_schemes import CERVICAL, LUMBAR, SCHEMES, THORACIC

STEP = {"cervical": 16.0, "thoracic": 24.0, "lumbar": 34.0, "sacral": 34.0}  # [mm]
HEAD_TO_TAIL = list(Level)


def column(values, levels):
    """Centres of labels stacked as such vertebrae would be [mm, LPS]."""
    z, centres = 0.0, {}
    for value, level in zip(values, levels, strict=True):
        centres[value] = np.array([1.0, 0.1 * z, z])
        z -= STEP[level.region]
    return centres


def spine_file(path, values, levels, *, upside_down=False, extra=()):
    """A coarse label map: one block per vertebra, from head to tail."""
    centres = column(values, levels)
    voxels = np.zeros((8, 8, int(-min(c[2] for c in centres.values())) // 4 + 6), np.uint8)
    for value, centre in centres.items():
        k = voxels.shape[2] - 4 + round(centre[2] / 4)
        voxels[2:6, 2:6, k : k + 2] = value
    for value in extra:
        voxels[0, 0, 0] = value
    affine = np.diag([-4.0, -4.0, -4.0 if upside_down else 4.0, 1.0])
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return path


THORACOLUMBAR = [Level.T11, Level.T12, Level.L1, Level.L2]


@given(
    name=st.sampled_from(sorted(SCHEMES)),
    first=st.integers(0, 30),
    count=st.integers(2, 12),
)
def test_a_proof_never_names_a_wrong_level(name, first, count):
    scheme = SCHEMES[name]
    known = [level for level in HEAD_TO_TAIL if level in scheme.levels.values()]
    levels = known[first : first + count]
    assume(len(levels) >= 2)
    truth = {scheme.value_of(level): level for level in levels}
    with suppress(CaseError):
        assert prove_scheme(column(truth, levels))[1] == truth


@pytest.mark.parametrize("first", range(22))
def test_verse_values_are_proven_by_their_order_anywhere_in_the_spine(first):
    levels = (CERVICAL + THORACIC + LUMBAR)[first : first + 4]
    scheme, found, _ = prove_scheme(column(range(first + 1, first + 1 + len(levels)), levels))
    assert scheme.name == "verse"
    assert list(found.values()) == list(levels)


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ((18, 19, 28, 20, 21), "T11 T12 T13 L1 L2"),
        ((22, 23, 24, 25, 26), "L3 L4 L5 L6 S1"),
        ((23, 24, 26), "L4 L5 S1"),
    ],
)
def test_extra_vertebrae_keep_their_place(values, levels):
    named = [Level[name] for name in levels.split()]
    scheme, found, _ = prove_scheme(column(values, named))
    assert scheme.name == "verse"
    assert found == dict(zip(values, named, strict=True))


@pytest.mark.parametrize(
    ("values", "levels", "named"),
    [
        ((33, 32, 31, 30), "T11 T12 L1 L2", ["totalseg (30 = L2", "totalseg_v1 (30 = T5"]),
        ((28, 27, 26), "L4 L5 S1", ["totalseg", "totalseg_v1", "totalseg_v3 (26 = L6"]),
    ],
)
def test_ambiguous_values_are_refused_with_the_candidates(values, levels, named):
    centres = {v: np.array([0, 0, -24.0 * n]) for n, v in enumerate(values)}
    with pytest.raises(CaseError, match="ambiguous") as refusal:
        prove_scheme(centres)
    assert all(text in str(refusal.value) for text in named)
    assert "--label-scheme" in str(refusal.value)
    assert levels


@pytest.mark.parametrize(
    ("values", "region", "problem"),
    [
        ((20,), "lumbar", "single label value 20"),
        ((1, 2, 3, 4, 5), "lumbar", "fit no known label scheme"),  # 1..n, not the neck
        ((20, 22, 23), "lumbar", "fit no known label scheme"),  # a gap
        ((101, 102), "lumbar", "fit no known label scheme"),
        ((49, 50, 41), "lumbar", "spineps_subregions"),
    ],
)
def test_values_that_prove_nothing_are_refused(values, region, problem):
    centres = {v: np.array([0, 0, -STEP[region] * n]) for n, v in enumerate(values)}
    with pytest.raises(CaseError, match=problem) as refusal:
        prove_scheme(centres)
    assert "state" in str(refusal.value)


def test_a_stated_scheme_is_taken_and_recorded(tmp_path):
    path = spine_file(tmp_path / "a.nii.gz", (33, 32, 31, 30), THORACOLUMBAR, extra=(52,))
    labels, notices = kio.read_labels_with_notices(path, scheme="totalseg")
    assert [str(level) for level in labels.levels.values()] == ["T11", "T12", "L1", "L2"]
    assert (labels.scheme, labels.basis) == ("totalseg", "stated by user")
    assert "labels_ignored" in [n.code for n in notices]


def test_a_stated_scheme_that_turns_the_spine_upside_down_is_refused(tmp_path):
    path = spine_file(tmp_path / "a.nii.gz", (24, 23, 22, 21), THORACOLUMBAR)
    with pytest.raises(CaseError, match=r"a\.nii\.gz: .*upside down .*: state"):
        kio.read_labels(path, scheme="verse")
    turned = spine_file(tmp_path / "b.nii.gz", (18, 19, 20), THORACOLUMBAR[:3], upside_down=True)
    with pytest.raises(CaseError, match="upside down"):
        kio.read_labels(turned, scheme="verse")


def test_two_swapped_names_are_reported(tmp_path):
    path = spine_file(tmp_path / "a.nii.gz", (18, 20, 19, 21), THORACOLUMBAR)
    _, notices = kio.read_labels_with_notices(path, scheme="verse")
    assert ("level_order", Level.L1) in [(n.code, n.level) for n in notices]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names.json", json.dumps({"7": "T11", "5": "T12", "3": "L1", "2": "vertebrae_L2"})),
        ("names.json", json.dumps({"labels": {"T11": 7, "T12": 5, "L1": 3, "L2": 2}})),
        ("names.tsv", "index\tname\tcolor\n7\tT11\t#\n5\tT12\t#\n3\tL1\t#\n2\tL2 vertebra\t#\n"),
    ],
)
def test_a_name_table_can_be_stated_or_lie_beside_the_map(tmp_path, name, text):
    path = spine_file(tmp_path / "a.nii.gz", (7, 5, 3, 2), THORACOLUMBAR)
    table = tmp_path / name
    table.write_text(text)
    labels = kio.read_labels(path, scheme=table)
    assert dict(labels.levels) == {7: Level.T11, 5: Level.T12, 3: Level.L1, 2: Level.L2}
    assert name in labels.basis
    table.rename(tmp_path / f"a{table.suffix}")
    assert dict(kio.read_labels(path).levels) == dict(labels.levels)


def test_a_json_file_beside_the_map_without_names_is_no_matter(tmp_path):
    path = spine_file(tmp_path / "a.nii.gz", (18, 19, 20, 21), THORACOLUMBAR)
    (tmp_path / "a.json").write_text('{"Manufacturer": "x", "KVP": 120}')
    assert kio.read_labels(path).scheme == "verse"


@pytest.mark.parametrize(
    ("scheme", "problem"),
    [
        ("totalsegmentator", "is not known: use verse"),
        ("absent.json", "does not exist"),
        ("broken.json", "no readable name table"),
        ("empty.json", "holds no label names"),
        ("double.json", "two label values are named L1"),
    ],
)
def test_a_wrong_scheme_or_table_is_refused(tmp_path, scheme, problem):
    path = spine_file(tmp_path / "a.nii.gz", (18, 19, 20, 21), THORACOLUMBAR)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "double.json").write_text('{"18": "L1", "19": "L1"}')
    stated = tmp_path / scheme if scheme.endswith("json") else scheme
    with pytest.raises(CaseError, match=problem):
        kio.read_labels(path, scheme=stated)


def test_whole_numbers_stored_as_floats_are_labels_and_others_are_not(tmp_path):
    good = spine_file(tmp_path / "a.nii.gz", (18, 19, 20, 21), THORACOLUMBAR)
    image = nib.load(good)
    voxels = np.asarray(image.dataobj).astype(np.float64)
    nib.save(nib.Nifti1Image(voxels, image.affine), good)
    assert kio.read_labels(good).volume.voxels.dtype == np.uint8
    for change, problem in {0.5: "no whole numbers", -3.0: "from -3", np.nan: "whole"}.items():
        voxels[0, 0, 0] = change
        nib.save(nib.Nifti1Image(voxels, image.affine), good)
        with pytest.raises(CaseError, match=problem):
            kio.read_labels(good)


def test_an_empty_map_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(CaseError, match="all voxels are background"):
        kio.read_labels(tmp_path / "a.nii")


def folder_of_structures(folder, names):
    folder.mkdir()
    for n, name in enumerate(names):
        voxels = np.zeros((6, 6, 40), np.uint8)
        voxels[1:5, 1:5, 30 - 8 * n : 34 - 8 * n] = 1
        nib.save(nib.Nifti1Image(voxels, np.diag([-4.0, -4, 4, 1])), folder / f"{name}.nii.gz")
    return folder


def test_a_folder_with_one_file_per_structure_is_one_map(tmp_path):
    folder = folder_of_structures(tmp_path / "s", ["vertebrae_T12", "vertebrae_L1", "liver"])
    nib.save(
        nib.Nifti1Image(np.zeros((6, 6, 40), np.uint8), np.diag([-4.0, -4, 4, 1])),
        folder / "vertebrae_L5.nii.gz",
    )
    labels = kio.read_labels(folder)
    assert dict(labels.levels) == {19: Level.T12, 20: Level.L1}
    assert labels.basis == "file names"
    assert (labels.volume.voxels == 20).sum() == 64


def test_structures_on_different_grids_or_without_vertebrae_are_refused(tmp_path):
    folder = folder_of_structures(tmp_path / "s", ["vertebrae_T12", "vertebrae_L1"])
    nib.save(nib.Nifti1Image(np.ones((6, 6, 40), np.uint8), np.eye(4)), folder / "L2.nii.gz")
    with pytest.raises(CaseError, match=r"L2\.nii\.gz has another grid"):
        kio.read_labels(folder)
    with pytest.raises(CaseError, match="holds no file such as vertebrae_L1"):
        kio.read_labels(folder_of_structures(tmp_path / "t", ["liver"]))


@pytest.mark.parametrize(
    ("name", "scheme", "basis", "levels"),
    [
        ("verse012-ct-L1fx/sub-verse012_seg-vert_msk.nii.gz", "verse", "order", "T10 L3"),
        ("verse004-mask-L1fx/sub-verse004_seg-vert_msk.nii.gz", "verse", "order", "T9 L5"),
        ("tptbox-L3/sub-ct_seg-vert_label-22_msk.nii.gz", "verse", "order", "L2 L4"),
        ("totalseg-example/totalseg.nii.gz", "totalseg", "header table", "T11 S1"),
        ("totalseg-example/totalseg_vertebrae_pp_refined.nii.gz", "verse", "header", "T12 L5"),
    ],
)
def test_the_scheme_of_every_real_map_is_proven_without_a_flag(
    shared, name, scheme, basis, levels
):
    labels = kio.read_labels(shared / "data" / name)
    found = list(labels.levels.values())
    first, last = (Level[text] for text in levels.split())
    assert (found[0], found[-1]) == (first, last)
    assert all(follows(a, b) for a, b in pairwise(found))
    assert labels.scheme == scheme
    assert basis in labels.basis


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("totalseg-example/totalseg_vertebrae_body.nii.gz", "names no vertebra"),
        ("tptbox-L3/sub-ct_seg-subreg_label-22_msk.nii.gz", "spineps_subregions"),
        ("verse004-L2-fe/sub-verse004_0000_vertebra_21_seg.nii.gz", "fit no known"),
        ("dcmqi-ct3slice/spine_seg.nrrd", "single label value 2"),
        ("verse012-ct-L1fx/sub-verse012_ct.nii.gz", "give a label map, not a CT"),
    ],
)
def test_real_files_that_name_no_level_are_refused(shared, name, problem):
    with pytest.raises(CaseError, match=problem):
        kio.read_labels(shared / "data" / name)


def test_levels_of_a_label_map_are_sorted_from_head_to_tail(tmp_path):
    path = spine_file(
        tmp_path / "a.nii.gz", (18, 19, 28, 20), [Level.T11, Level.T12, Level.T13, Level.L1]
    )
    labels = kio.read_labels(path)
    assert isinstance(labels, LabelMap)
    assert isinstance(labels.volume, Volume)
    assert list(labels.levels) == [18, 19, 28, 20]
