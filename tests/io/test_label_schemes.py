"""The table of label schemes, and that the documentation states the same."""

import pytest

from kyphoplan.case import Level
from kyphoplan.io.label_names import level_of
from kyphoplan.io.label_schemes import SCHEMES, SUBREGIONS

ANCHORS = {  # single values known from the tools' own tables
    "verse": {
        1: "C1",
        7: "C7",
        8: "T1",
        19: "T12",
        20: "L1",
        24: "L5",
        25: "L6",
        26: "S1",
        28: "T13",
    },
    "totalseg": {26: "S1", 27: "L5", 31: "L1", 32: "T12", 43: "T1", 44: "C7", 50: "C1"},
    "totalseg_v1": {18: "L5", 22: "L1", 23: "T12", 34: "T1", 35: "C7", 41: "C1"},
    "totalseg_v3": {26: "L6", 27: "L5", 31: "L1", 50: "C1"},
    "vertebrae_pp": {1: "C1", 8: "T1", 19: "T12", 20: "L1", 24: "L5"},
}


@pytest.mark.parametrize("name", ANCHORS)
def test_known_values_are_in_the_table(name):
    scheme = SCHEMES[name]
    assert {v: str(scheme.levels[v]) for v in ANCHORS[name]} == ANCHORS[name]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=str)
def test_a_scheme_has_one_value_per_level_and_ignores_none_of_them(scheme):
    assert len(set(scheme.levels.values())) == len(scheme.levels)
    assert not scheme.ignored & set(scheme.levels)
    for value, level in scheme.levels.items():
        assert scheme.value_of(level) == value


def test_schemes_are_all_there():
    assert set(SCHEMES) == set(ANCHORS)


@pytest.mark.parametrize("level", Level, ids=str)
def test_names_of_all_tools_are_read(level):
    for form in ("{}", "vertebrae_{}", "vertebra {}", "{} vertebra", "{}_vertebrae"):
        assert level_of(form.format(level)) is level
        assert level_of(form.format(str(level).lower())) is level


@pytest.mark.parametrize(
    "name",
    ["", "rib_left_1", "vertebrae_body", "sacrum", "T14", "L0", "S2", "CT1", "L1L2", "disc L1"],
)
def test_other_names_are_no_levels(name):
    assert level_of(name) is None


def test_the_reference_page_states_the_same_table(root):
    page = (root / "docs" / "reference" / "label-schemes.md").read_text(encoding="utf-8")
    lines = [line.replace(" ", "") for line in page.splitlines()]
    assert f"|level|{'|'.join(f'`{name}`' for name in SCHEMES)}|" in lines
    for level in Level:
        values = (
            next((str(v) for v, named in scheme.levels.items() if named is level), "-")
            for scheme in SCHEMES.values()
        )
        assert f"|{level}|{'|'.join(values)}|" in lines
    for scheme in SCHEMES.values():
        assert scheme.tool in page
    assert f"`{SUBREGIONS}`" in page
