"""The options that several commands share."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer


def _cpu(name: str) -> str:
    if name != "cpu":
        raise typer.BadParameter(f"{name!r} is not supported: use cpu")
    return name


def _letters(given: str | None) -> str | None:
    from kyphoplan.io.stated import axes_of  # noqa: PLC0415 - keeps `--help` fast

    if given is not None:
        try:
            axes_of(given)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return given


def _calibration(given: str | None) -> str | None:
    from kyphoplan.cli.strength import parse_calibration  # noqa: PLC0415 - keeps `--help` fast

    if given is not None:
        parse_calibration(given)  # a wrong one is refused before the scan is read
    return given


def _pdf(wanted: bool) -> bool:
    if wanted and find_spec("weasyprint") is None:
        raise typer.BadParameter(
            "WeasyPrint is not installed: pip install 'kyphoplan[pdf]', or print patient.html"
        )
    return wanted


Labels = Annotated[
    Path,
    typer.Option(
        "--segmentation", "-s", metavar="PATH", help="Vertebra label map: a file or a folder."
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the result.")
]
Ct = Annotated[
    Path | None,
    typer.Option(
        "--input", "-i", metavar="PATH", help="CT: NIfTI, NRRD or MHA file, or a DICOM folder."
    ),
]
Scheme = Annotated[
    str | None,
    typer.Option(
        metavar="SCHEME", help="Label scheme, such as verse or totalseg, or a .json or .tsv table."
    ),
]
Series = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Number or UID of the series, where a folder holds several."),
]
Orientation = Annotated[
    str | None,
    typer.Option(
        metavar="LETTERS",
        help="Where the voxel axes lead, such as LPS, for a file that does not say.",
        callback=_letters,
    ),
]
PatientRecord = Annotated[
    Path | None,
    typer.Option(
        "--patient", "-p", metavar="FILE", help="Patient record: our JSON, or a FHIR R4 Bundle."
    ),
]
Confirmed = Annotated[
    bool,
    typer.Option(
        "--i-confirm-same-patient", help="Go on though record and images differ; it is recorded."
    ),
]
Device = Annotated[
    str, typer.Option(metavar="DEVICE", help="Where to compute: cpu.", callback=_cpu)
]
Pdf = Annotated[
    bool, typer.Option("--pdf", help="Write patient.pdf too (needs WeasyPrint).", callback=_pdf)
]
Gauge = Annotated[
    str, typer.Option(metavar="GAUGE", help="Cannula: 8G, 10G, 11G or 13G.", show_default=True)
]
ErrorMm = Annotated[
    float,
    typer.Option(
        metavar="MM", min=0.0, max=20.0, help="Aiming error at the entry, standard deviation [mm]."
    ),
]
ErrorDeg = Annotated[
    float,
    typer.Option(metavar="DEG", min=0.0, max=20.0, help="Aiming error of the direction [deg]."),
]
Levels = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Plan these levels, such as T12,L1; else the fractured."),
]
Calibrated = Annotated[
    str | None,
    typer.Option(
        "--calibration",
        metavar="SLOPE,OFFSET[,SPREAD]",
        help="Mineral density [mg/cm3] is SLOPE x HU + OFFSET; SPREAD: relative error of SLOPE. "
        "Without it a wide one is assumed.",
        callback=_calibration,
    ),
]
Draws = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, max=10000, help="Runs with all that is uncertain drawn anew."
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the draws.")]
EdgeMm = Annotated[
    float, typer.Option("--edge-mm", metavar="MM", min=0.5, max=2.0, help="Edge of the voxels.")
]
Cores = Annotated[
    int, typer.Option("--threads", metavar="N", min=1, max=64, help="Processor cores to use.")
]
