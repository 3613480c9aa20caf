"""Whether record and images are of the same patient: compared where both say who it is.

A mismatch is refused. Only DICOM carries an identity; where nothing can be compared, that is said.
"""

import unicodedata
from datetime import date
from pathlib import Path

from kyphoplan.case import Notice, Patient, Severity
from kyphoplan.case.patient import Identity
from kyphoplan.case.terms import Sex
from kyphoplan.errors import CaseError
from kyphoplan.io.files import files_below

HEADERS_READ = 5  # [files] looked into before a folder is called no DICOM
_SEXES = {"F": Sex.FEMALE, "M": Sex.MALE, "O": Sex.OTHER}


def check_same_patient(
    patient: Patient, images: Path | None, *, confirmed: bool = False
) -> tuple[Notice, ...]:
    """Compare the record with the images' headers.

    Parameters
    ----------
    images : a CT file or folder; None if there is none.
    confirmed : whether somebody takes it on himself that both are of one patient; a mismatch is
        then a warning that stays in the record of the run.

    Raises
    ------
    CaseError
        If number, name, date of birth or sex differ. The values are not repeated in the message.
    """
    found = None if images is None else identity_of(images)
    if found is None:
        return (_not_compared("the images carry no identity"),)
    identity, sex = found
    differing, compared = _differing(patient, identity, sex)
    if differing and not confirmed:
        raise CaseError(
            f"{images}: record and images differ in {', '.join(differing)}: they are of two "
            "patients; give the right record, or --i-confirm-same-patient"
        )
    if differing:
        return (_confirmed(differing),)
    return () if compared else (_not_compared("record and images have nothing to compare"),)


def identity_of(images: Path) -> tuple[Identity, Sex] | None:
    """Return who DICOM images say they are of; None for other files."""
    import pydicom  # noqa: PLC0415 - only where images are compared

    files = [p for p in files_below(images) if not p.name.startswith(".")]
    for path in files[:HEADERS_READ]:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, OSError, ValueError):
            continue
        identity = Identity(
            patient_id=str(header.get("PatientID", "")).strip() or None,
            name=str(header.get("PatientName", "")).strip() or None,
            birth_date=_day(str(header.get("PatientBirthDate", ""))),
        )
        return identity, _SEXES.get(str(header.get("PatientSex", "")), Sex.UNKNOWN)
    return None


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _differing(patient: Patient, other: Identity, sex: Sex) -> tuple[list[str], int]:
    """Return what differs, and how many items could be compared."""
    own = patient.identity
    pairs: list[tuple[str, object, object]] = [
        ("patient number", own.patient_id, other.patient_id),
        ("name", _words(own.name), _words(other.name)),
        ("date of birth", own.birth_date, other.birth_date),
        ("sex", _known(patient.sex), _known(sex)),
    ]
    both = [(what, a, b) for what, a, b in pairs if a is not None and b is not None]
    return [what for what, a, b in both if a != b], len(both)


def _known(sex: Sex) -> Sex | None:
    return None if sex is Sex.UNKNOWN else sex


def _words(name: str | None) -> frozenset[str] | None:
    """Return the words of a name, without order, case, accents and signs.

    Examples
    --------
    >>> _words("Müller^Anna") == _words("Anna Muller")
    True
    """
    if name is None:
        return None
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or name
    letters = "".join(c if c.isalnum() else " " for c in plain.casefold())
    return frozenset(letters.split()) or None


def _not_compared(why: str) -> Notice:
    return Notice(
        code="same_patient_not_checked",
        severity=Severity.WARNING,
        level=None,
        text=f"whether record and images are of one patient was not checked: {why}",
        remedy="check it yourself",
    )


def _confirmed(differing: list[str]) -> Notice:
    return Notice(
        code="same_patient_confirmed",
        severity=Severity.CRITICAL,
        level=None,
        text=f"record and images differ in {', '.join(differing)}; that they are of one patient "
        "was confirmed by the person who ran this",
        remedy="check it again before you rely on anything here",
    )
