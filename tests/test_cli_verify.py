"""Results are sealed: a changed byte is found, and a run can be repeated to the same hashes."""

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kyphoplan.cli import app
from kyphoplan.io import result_folder, sealing, write_json
from kyphoplan.io.manifest import manifest

run = CliRunner().invoke
PHANTOM = ["--levels", "L1", "--spacing", "2.5", "2.5", "2.5", "--no-dicom", "-q"]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed") / "one"
    assert run(app, ["phantom", "-o", str(folder), *PHANTOM]).exit_code == 0
    return folder


def test_an_untouched_result_verifies(result: Path) -> None:
    answer = run(app, ["verify", str(result)])
    assert (answer.exit_code, answer.stdout) == (0, "4 files as they were written\n")


def test_one_changed_byte_anywhere_is_found(result: Path) -> None:
    chance = random.Random(3)
    for file in [p for p in result.rglob("*") if p.is_file()]:
        good = file.read_bytes()
        for place in {0, len(good) - 1, *(chance.randrange(len(good)) for _ in range(6))}:
            bad = bytearray(good)
            bad[place] ^= 1 << chance.randrange(8)
            file.write_bytes(bad)
            answer = run(app, ["verify", str(result), "-q"])
            assert answer.exit_code == 3, (file, place)
            assert file.name in answer.stderr
        file.write_bytes(good)
    assert run(app, ["verify", str(result)]).exit_code == 0


def test_a_file_that_was_added_or_removed_is_named(result: Path) -> None:
    (result / "extra.txt").write_text("x")
    assert "extra.txt: was added" in run(app, ["verify", str(result)]).stderr
    (result / "extra.txt").unlink()
    kept = (result / "truth.json").rename(result.parent / "kept")
    assert "truth.json: is missing" in run(app, ["verify", str(result)]).stderr
    kept.rename(result / "truth.json")


def test_a_folder_of_somebody_else_is_no_result(tmp_path: Path) -> None:
    answer = run(app, ["verify", str(tmp_path)])
    assert answer.exit_code == 3
    assert "is no result of kyphoplan" in answer.stderr


def test_the_manifest_lists_every_other_file(result: Path) -> None:
    listed = json.loads((result / "manifest.json").read_text(encoding="utf-8"))["files"]
    stored = sealing.sealed_hashes(result)
    assert listed == {name: h for name, h in stored.items() if name != "manifest.json"}


def test_a_repeated_run_gives_the_same_hashes(result: Path) -> None:
    answer = run(app, ["rerun", str(result)])
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == "4 files made again, all the same\n"


def test_a_result_that_was_tampered_with_is_not_repeated(result: Path) -> None:
    good = (result / "truth.json").read_text(encoding="utf-8")
    (result / "truth.json").write_text(good + " ", encoding="utf-8")
    answer = run(app, ["rerun", str(result)])
    (result / "truth.json").write_text(good, encoding="utf-8")
    assert answer.exit_code == 3
    assert "truth.json: was changed" in answer.stderr


@pytest.mark.slow
def test_a_measurement_is_repeated_from_inputs_found_by_their_hash(
    result: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    files = ["-s", str(result / "labels.nii.gz"), "-i", str(result / "ct.nii.gz")]
    assert run(app, ["measure", *files, "-o", str(out), "-q"]).exit_code == 0
    missing = run(app, ["rerun", str(out), "--inputs", str(tmp_path), "-q"])
    assert missing.exit_code == 3
    assert "labels: labels.nii.gz as it was" in missing.stderr
    again = run(app, ["rerun", str(out), "--inputs", str(result.parent)])
    assert again.exit_code == 0, again.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"made_by": "kyphoplan 9.9"}, "was made by kyphoplan 9.9"),
        ({"command": "fly"}, "names no command"),
        ({"parameters": {"output": "/elsewhere"}}, "unknown settings (output)"),
    ],
)
def test_a_record_can_only_name_what_the_command_line_could(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with result_folder(tmp_path / "r") as working:
        record = manifest({}, {"seed": 1}, {}, (), command="phantom")
        write_json(working / "manifest.json", record | change)
    answer = run(app, ["rerun", str(tmp_path / "r")])
    assert answer.exit_code == 3
    assert said in answer.stderr
