"""``kyphoplan assess``: a patient record in, a folder with the assessment out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphoplan.cli.booklet import print_booklet, write_booklet
from kyphoplan.cli.console import (
    Overwrite,
    Progress,
    Quiet,
    Verbose,
    hand_over,
    outcome,
    say,
)
from kyphoplan.cli.options import Output, Pdf
from kyphoplan.cli.record import write_record

if TYPE_CHECKING:
    from kyphoplan.case import Assessment, Measurements, Patient

EXAMPLE = "Example: kyphoplan assess -p anna.json -m result/measurements.json -o assessed"

Record = Annotated[
    Path,
    typer.Option(
        "--patient", "-p", metavar="FILE", help="Patient record: our JSON, or a FHIR R4 Bundle."
    ),
]
Figures = Annotated[
    Path | None,
    typer.Option(
        "--measurements", "-m", metavar="FILE", help="measurements.json of the same patient."
    ),
]


def assess(
    patient: Record,
    output: Output,
    measurements: Figures = None,
    pdf: Pdf = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what may be said of a patient before a balloon kyphoplasty, and what is missing.

    Writes assessment.json, assessment.html, patient.html and manifest.json. The exit code is 0
    whatever the verdict is.
    """
    progress = Progress(quiet=quiet, verbose=verbose)
    with outcome(progress):
        from kyphoplan.io import result_folder  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io.same_patient import check_same_patient  # noqa: PLC0415

        with result_folder(output, overwrite=overwrite) as working:
            record, figures, assessed = _assess(progress, patient, measurements)
            inputs = {"patient": patient}
            inputs |= {} if measurements is None else {"measurements": measurements}
            known = {"patient": record, "assessment": assessed}
            write_booklet(progress, working, figures, inputs, **known)
            _write(working, assessed)
            notices = () if figures is None else figures.notices + check_same_patient(record, None)
            basis = "" if figures is None else figures.label_basis
            write_record(
                working, progress, "assess", inputs, {"pdf": pdf}, notices, level_names=basis
            )
            if pdf:
                print_booklet(progress, working)
        progress.notices(notices)
        if not quiet:
            say(f"{assessed.verdict}: {assessed.text}")
        hand_over(output)


def _assess(
    progress: Progress, patient: Path, measurements: Path | None
) -> "tuple[Patient, Measurements | None, Assessment]":
    with progress.stage("assess"):
        from kyphoplan.assessment import assess as judge  # noqa: PLC0415
        from kyphoplan.io.patient_record import read_patient  # noqa: PLC0415
        from kyphoplan.report.measurements_reading import read_measurements  # noqa: PLC0415

        record = read_patient(patient)
        figures = None if measurements is None else read_measurements(measurements)
        return record, figures, judge(figures, record)


def _write(working: Path, assessed: "Assessment") -> None:
    from kyphoplan.io import write_json  # noqa: PLC0415
    from kyphoplan.report.assessment_json import assessment_to_json  # noqa: PLC0415
    from kyphoplan.report.assessment_page import assessment_page  # noqa: PLC0415

    write_json(working / "assessment.json", assessment_to_json(assessed))
    page = assessment_page(assessed)
    (working / "assessment.html").write_text(page, encoding="utf-8")
