"""The manifest names inputs by their hash, and no place on anybody's machine."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kyphoplan.case import Level
from kyphoplan.io.manifest import manifest, sha256


def test_a_file_has_the_hash_that_sha256sum_prints(tmp_path: Path) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("no sha256sum on this machine")
    (tmp_path / "a").write_bytes(b"spine" * 1_000_000)
    done = subprocess.run([program, "a"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == sha256(tmp_path / "a")


def test_a_folder_has_the_hash_of_its_list(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b", "a", "sub/c"):
        (tmp_path / name).write_text(name)
    lines = "".join(f"{sha256(tmp_path / n)}  {n}\n" for n in ("a", "b", "sub/c"))
    assert sha256(tmp_path) == hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / "a").write_text("other")
    assert sha256(tmp_path) != hashlib.sha256(lines.encode()).hexdigest()


def test_no_path_is_kept(tmp_path: Path) -> None:
    (tmp_path / "ct.nii.gz").write_bytes(b"x")
    record = manifest(
        {"ct": tmp_path / "ct.nii.gz"}, {"levels": (Level.L1,)}, {"read": 1.23456}, ()
    )
    text = json.dumps(record, allow_nan=False)
    assert str(tmp_path) not in text
    assert record["inputs"]["ct"]["name"] == "ct.nii.gz"
    assert record["parameters"] == {"levels": ["L1"]}
    assert record["timings_s"] == {"read": 1.235}
    assert record["versions"]["numpy"]
