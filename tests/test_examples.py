"""The programme of the README and the examples run, and find the fracture that was put in."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CODE_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def programme() -> str:
    """The first Python block of the README."""
    block = CODE_BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert block is not None
    return block[1]


@pytest.mark.slow
def test_the_programme_of_the_readme_finds_its_fracture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(programme(), "README.md", "exec"), names)
    found = [str(row.level) for row in names["figures"].fractures]
    assert found == ["L1"]
    assert any(path.name == "measurements.json" for path in tmp_path.rglob("*"))


def test_the_programme_of_the_readme_is_seven_calls() -> None:
    assert len(re.findall(r"\bkp\.[a-z]\w*\(", programme())) == 7


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
