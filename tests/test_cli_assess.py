"""``kyphoplan assess``, ``kyphoplan patient`` and ``kyphoplan run -p``."""

import json
from pathlib import Path

import lxml.html
import pytest
from typer.testing import CliRunner

from kyphoplan.assessment import assess
from kyphoplan.case import Level
from kyphoplan.cli import app
from kyphoplan.cli.assessing import hold_back
from kyphoplan.io import write_json
from kyphoplan.io.patient_record import read_patient
from kyphoplan.report.measurements_reading import read_measurements

from .io.identified import images_of

run = CliRunner().invoke
EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "patients"
INR, WEDGE = EXAMPLES / "04_inr_2_4.json", EXAMPLES / "figures" / "wedge_L1.json"


def test_assess_writes_page_contract_and_record(tmp_path: Path) -> None:
    output = tmp_path / "out"
    result = run(app, ["assess", "-p", str(INR), "-m", str(WEDGE), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{output}\n"
    assert "DEFER" in result.stderr
    data = json.loads((output / "assessment.json").read_text(encoding="utf-8"))
    assert data["schema"] == "kyphoplan.assessment/1"
    assert data["overall"]["decided_by"] == ["AC-1"]
    record = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert set(record["inputs"]) == {"patient", "measurements"}


def test_each_file_of_an_assessment_says_what_it_is_and_can_be_made_again(tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(app, ["assess", "-p", str(INR), "-m", str(WEDGE), "-o", str(output)]).exit_code == 0
    record = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert record["level_names"] == read_measurements(WEDGE).label_basis != ""
    facts = [
        record["made_by"],
        record["date_utc"],
        "Research and teaching only; not for diagnosis or treatment",
        *(data["sha256"] for data in record["inputs"].values()),
        f"{record['level_names']}; confirm the level under fluoroscopy by counting",
    ]
    data = json.loads((output / "assessment.json").read_text(encoding="utf-8"))
    said = {"assessment.json": json.dumps(data["provenance"])}
    for name in ("assessment.html", "patient.html"):
        (footer,) = lxml.html.parse(output / name).findall(".//footer[@class='stamp']")
        said[name] = footer.text_content()
    for name, text in said.items():
        assert [fact for fact in facts if fact not in text] == [], name
    again = run(app, ["rerun", str(output), "--inputs", str(EXAMPLES)])
    assert again.exit_code == 0, again.stderr


def test_assess_without_figures_does_not_know_the_image(tmp_path: Path) -> None:
    output = tmp_path / "out"
    result = run(
        app, ["assess", "-p", str(EXAMPLES / "01_fit_outpatient.json"), "-o", str(output)]
    )
    assert result.exit_code == 0, result.output
    data = json.loads((output / "assessment.json").read_text(encoding="utf-8"))
    assert data["overall"]["verdict"] == "INSUFFICIENT_DATA"
    assert "image: canal compromise" in data["missing"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"schema": "kyphoplan.patient/1", "laboratory": {"inr": "1,8"}}, "laboratory.inr"),
        ({"schema": "kyphoplan.patient/1", "age_years": 250}, "from 0 to 120 years"),
        ({"resourceType": "Patient"}, "give a Bundle"),
    ],
)
def test_a_bad_record_is_exit_code_3_in_one_line(
    tmp_path: Path, content: dict[str, object], words: str
) -> None:
    path = write_json(tmp_path / "bad.json", content)
    result = run(app, ["assess", "-p", str(path), "-o", str(tmp_path / "out"), "-q"])
    assert result.exit_code == 3
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_that_figures_and_record_were_not_compared_is_said(tmp_path: Path) -> None:
    """measurements.json names no patient."""
    result = run(app, ["assess", "-p", str(INR), "-m", str(WEDGE), "-o", str(tmp_path / "o")])
    assert "of one patient was not checked" in result.stderr
    assert "same_patient_not_checked" in (tmp_path / "o" / "manifest.json").read_text("utf-8")


def test_figures_of_another_schema_are_refused(tmp_path: Path) -> None:
    result = run(app, ["assess", "-p", str(INR), "-m", str(INR), "-o", str(tmp_path / "o"), "-q"])
    assert result.exit_code == 3
    assert "kyphoplan.measurements/1" in result.stderr


def test_a_new_record_can_be_checked_and_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    assert run(app, ["patient", "new", "-o", str(path)]).exit_code == 0
    again = run(app, ["patient", "new", "-o", str(path)])
    assert again.exit_code == 5
    assert "--overwrite" in again.stderr
    result = run(app, ["patient", "check", str(path)])
    assert result.exit_code == 0
    assert "neurology.bladder: New trouble passing or holding urine?" in result.stdout
    assert "could come to EMERGENCY_REFER (CI-R1" in result.stdout


def test_a_record_can_be_started_from_another(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    result = run(app, ["patient", "new", "-o", str(path), "--from", str(INR)])
    assert result.exit_code == 0, result.output
    assert read_patient(path) == read_patient(INR)


def test_a_full_record_lacks_nothing(tmp_path: Path) -> None:
    result = run(app, ["patient", "check", str(EXAMPLES / "01_fit_outpatient.json")])
    assert result.exit_code == 0
    assert "Nothing is missing" in result.stdout


def test_a_wrong_record_is_told_with_all_its_faults(tmp_path: Path) -> None:
    data = {"schema": "kyphoplan.patient/1", "asa": 9, "sex": "F"}
    result = run(app, ["patient", "check", str(write_json(tmp_path / "bad.json", data))])
    assert result.exit_code == 3
    assert result.stderr.count("refused: ") == 2


def test_a_level_that_may_need_decompression_is_held_back() -> None:
    scan = read_measurements(EXAMPLES / "figures" / "burst_L1.json")
    patient = read_patient(EXAMPLES / "05_retropulsion_bladder.json")
    levels, notices = hold_back(assess(scan, patient), (Level.L1,))
    assert levels == ()
    assert [(n.code, n.severity.value) for n in notices] == [("decompression_first", "critical")]
    fit = read_patient(EXAMPLES / "01_fit_outpatient.json")
    assert hold_back(assess(scan, fit), (Level.L1,)) == ((Level.L1,), ())


def test_without_a_record_nothing_is_held_back_for_what_is_unknown() -> None:
    scan = read_measurements(WEDGE)
    assert hold_back(assess(scan), (Level.L1,)) == ((Level.L1,), ())


def test_a_run_with_the_record_of_another_patient_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    output, images = tmp_path / "out", images_of(tmp_path / "ct")
    arguments = ["run", "-i", str(images), "-s", str(tmp_path / "none"), "-o", str(output), "-q"]
    result = run(app, [*arguments, "-p", str(EXAMPLES / "07_infection.json")])
    assert result.exit_code == 3
    assert "they are of two patients" in result.stderr
    assert "--i-confirm-same-patient" in result.stderr
    assert not output.exists()
