"""What ``run`` does with a patient record: read, assess, hold back what needs a surgeon first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kyphoplan.cli.console import Progress

if TYPE_CHECKING:
    from kyphoplan.case import Assessment, Level, Measurements, Notice, Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The patient record of a run; no patient if none was given."""

    path: Path | None
    patient: "Patient | None"
    notices: "tuple[Notice, ...]"


def read_record(
    progress: Progress, path: Path | None, ct: Path | None, *, confirmed: bool
) -> Record:
    """Read the record and check that it is of the patient of the images, before anything else."""
    if path is None:
        return Record(path=None, patient=None, notices=())
    with progress.stage("patient record"):
        from kyphoplan.io.patient_record import read_patient  # noqa: PLC0415 - fast `--help`
        from kyphoplan.io.same_patient import check_same_patient  # noqa: PLC0415

        patient = read_patient(path)
        notices = check_same_patient(patient, ct, confirmed=confirmed)
    return Record(path=path, patient=patient, notices=notices)


def assess_scan(
    progress: Progress,
    measured: "Measurements",
    record: Record,
    levels: "tuple[Level, ...] | None",
) -> "Assessment":
    """Assess; the levels of the command line are asked about where the record names none."""
    with progress.stage("assess"):
        from kyphoplan.assessment import assess  # noqa: PLC0415

        patient = record.patient
        if patient is not None and patient.levels_planned is None and levels is not None:
            patient = replace(patient, levels_planned=levels)
        return assess(measured, patient)


def hold_back(
    assessed: "Assessment", levels: "Sequence[Level]"
) -> "tuple[tuple[Level, ...], tuple[Notice, ...]]":
    """Return the levels that may be planned, and a notice for each that may not.

    Where cord or nerves may have to be freed first there is no plan.
    """
    from kyphoplan.case import Notice, Severity  # noqa: PLC0415

    asking = {one.level: one.decompression for one in assessed.levels}
    of_patient = assessed.decompression_rules
    held = {level: asking.get(level, of_patient) for level in levels}
    notices = tuple(
        Notice(
            code="decompression_first",
            severity=Severity.CRITICAL,
            level=level,
            text=f"is not planned: cord or nerves may have to be freed first ({', '.join(rules)})",
            remedy="a spine surgeon decides on laminectomy or laminotomy; see the assessment",
        )
        for level, rules in held.items()
        if rules
    )
    return tuple(level for level, rules in held.items() if not rules), notices
