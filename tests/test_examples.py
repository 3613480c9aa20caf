"""The programme of the README and the examples run, and find the fracture that was put in."""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from kyphoplan.io import write_volume

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CODE_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def programmes() -> tuple[str, str]:
    """The two Python blocks of the README: from a phantom, and from files."""
    first, second = CODE_BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    return first, second


@pytest.mark.slow
def test_the_programmes_of_the_readme_run_and_find_the_fracture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    from_phantom, from_files = programmes()
    exec(compile(from_phantom, "README.md", "exec"), names)
    assert [str(row.level) for row in names["figures"].fractures] == ["L1"]
    assert (tmp_path / "result" / "measurements.json").is_file()
    assert (tmp_path / "result" / "surgeon.html").is_file()
    assert [str(row.level) for row in names["plan"].levels] == ["L1"]

    write_volume(names["scan"].ct, "ct.nii.gz")
    write_volume(names["scan"].labels, "labels.nii.gz")
    exec(compile(from_files, "README.md", "exec"), names)
    assert names["labels"].levels == names["scan"].labels.levels
    assert names["ct"].shape == names["scan"].ct.shape


def test_the_programme_of_the_readme_is_seven_calls() -> None:
    calls = [node for node in ast.parse(programmes()[0]).body if not isinstance(node, ast.Import)]
    assert len(calls) == 7


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs_and_says_something(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main()
    assert "L1" in capsys.readouterr().out
