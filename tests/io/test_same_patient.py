"""A record of another patient than the images' is refused."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kyphoplan.case import Identity, Patient
from kyphoplan.case.terms import Sex
from kyphoplan.errors import CaseError
from kyphoplan.io.same_patient import check_same_patient

from .identified import images_of

ANNA = Patient(
    identity=Identity(patient_id="EX-01", name="Anna Müller", birth_date=date(1951, 5, 4)),
    sex=Sex.FEMALE,
)
DAY = date(1951, 5, 5)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with the header of one image of Anna's."""
    return images_of(tmp_path / "ct")


def test_the_same_patient_passes_whatever_the_order_of_the_name(images: Path) -> None:
    assert check_same_patient(ANNA, images) == ()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(ANNA, identity=replace(ANNA.identity, patient_id="EX-02")), "patient number"),
        (replace(ANNA, identity=replace(ANNA.identity, name="Berta Müller")), "name"),
        (replace(ANNA, identity=replace(ANNA.identity, birth_date=DAY)), "date of birth"),
        (replace(ANNA, sex=Sex.MALE), "sex"),
    ],
)  # fmt: skip
def test_another_patient_is_refused_without_telling_names(
    images: Path, other: Patient, words: str
) -> None:
    with pytest.raises(CaseError, match=words) as caught:
        check_same_patient(other, images)
    assert "Müller" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_confirmed_mismatch_is_a_warning_that_stays(images: Path) -> None:
    notices = check_same_patient(replace(ANNA, sex=Sex.MALE), images, confirmed=True)
    assert [notice.code for notice in notices] == ["same_patient_confirmed"]
    assert notices[0].severity == "critical"


def test_where_nothing_can_be_compared_that_is_said(images: Path, tmp_path: Path) -> None:
    for patient, where in ((Patient(), images), (ANNA, None), (ANNA, tmp_path / "ct.nii.gz")):
        notices = check_same_patient(patient, where)
        assert [notice.code for notice in notices] == ["same_patient_not_checked"]
