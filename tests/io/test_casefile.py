"""Nouns go to JSON and come back the same."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kyphoplan.io as kio
from kyphoplan.case import (
    CorticalGap,
    GapSite,
    Genant,
    Grade,
    Kyphosis,
    Level,
    Measure,
    Notice,
    Severity,
    Shape,
    Volume,
)
from kyphoplan.errors import CaseError

measures = st.one_of(
    st.builds(
        Measure.of,
        st.floats(-1e3, 1e3),
        st.floats(0, 10),
        st.just("mm"),
        st.text(min_size=1),
    ),
    st.builds(Measure.unknown, st.just("mm"), st.text(min_size=1)),
)


def there_and_back(noun):
    return kio.from_json(type(noun), json.loads(json.dumps(kio.to_json(noun), allow_nan=False)))


@given(measure=measures)
def test_a_measure_comes_back_equal(measure):
    assert there_and_back(measure) == measure


@pytest.mark.parametrize(
    "noun",
    [
        Notice(code="c", severity=Severity.INFO, level=None, text="ä", remedy="r"),
        Notice(code="c", severity=Severity.CRITICAL, level=Level.T13, text="t", remedy="r"),
        Kyphosis(upper=Level.T12, lower=Level.L1, cobb=Measure.unknown("deg", "cropped")),
        Genant(grade=None, shape=Shape.UNKNOWN, possible=(), reason="r"),
        Genant(
            grade=Grade.MODERATE,
            shape=Shape.WEDGE,
            possible=(Grade.MODERATE, Grade.SEVERE),
            reason="r",
        ),
    ],
)
def test_nouns_come_back_equal(noun):
    assert there_and_back(noun) == noun


def test_arrays_come_back_as_arrays():
    gap = CorticalGap(
        site=GapSite.ANTERIOR, centre_mm=np.array([1.0, 2, 3]), area=Measure.unknown("mm2", "r")
    )
    back = there_and_back(gap)
    assert np.array_equal(back.centre_mm, gap.centre_mm)
    assert back.area == gap.area


def test_a_level_is_written_by_its_name_and_a_grade_as_its_number():
    assert kio.to_json({"at": Level.L1, "grade": Grade.SEVERE}) == {"at": "L1", "grade": 3}


def test_what_does_not_belong_into_json_is_refused():
    with pytest.raises(TypeError, match="write_volume"):
        kio.to_json(Volume(np.zeros((2, 2, 2)), np.eye(4)))
    with pytest.raises(TypeError, match="does not go into JSON"):
        kio.to_json(object())


@pytest.mark.parametrize(
    "change",
    [{"value": "x"}, {"value": 3}, {"unit": None}, {"confidence": "sure"}, {"more": 1}],
)
def test_wrong_data_are_refused(change):
    data = kio.to_json(Measure.unknown("mm", "r")) | change
    with pytest.raises(CaseError, match="data are no Measure"):
        kio.from_json(Measure, data)
    with pytest.raises(CaseError, match="data are no Measure"):
        kio.from_json(Measure, {"unit": "mm"})
