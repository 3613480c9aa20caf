"""Each hazard has a control and a test that passes; nothing dangerous is in the source."""

import ast
import re
from pathlib import Path

import pytest

from .conftest import KNOWN_MISSES

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| [A-O]\d+ \|", line)
]
DANGEROUS_CALLS = {"eval", "exec", "compile", "__import__"}
DANGEROUS_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
GROUPS = {"A": 11, "B": 12, "C": 9, "D": 4, "G": 9, "O": 8}


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_hazard_has_a_control_and_a_test_that_is_not_known_to_fail(row: list[str]) -> None:
    _, severity, hazard, control, tests = row
    assert severity in {"S1", "S2", "S3", "S4", "S5"}
    assert hazard
    assert control
    for test in tests.split("; "):
        check_test(test.strip("`"))


def check_test(test: str) -> None:
    """It exists, runs in `make test`, and is not known to fail."""
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file(), path
    assert not name or name in functions_of(ROOT / path), test
    source = (ROOT / path).read_text(encoding="utf-8")
    assert "pytest.mark.skip" not in source
    if name:
        before = source.split(f"def {name}(")[0].rsplit("\n\n\n", 1)[-1]
        assert "xfail" not in before
        assert "soak" not in before, "a soak test does not run in `make test`"
        assert not [miss for miss in KNOWN_MISSES if f"{path}::{name}".startswith(miss)]


def test_every_group_is_whole_and_every_case_belongs_to_a_row() -> None:
    from .io.test_gate import CASES  # noqa: PLC0415 - slow to make

    ids = [row[0] for row in ROWS]
    assert len(ids) == len(set(ids))
    for group, count in GROUPS.items():
        assert sorted(i for i in ids if i[0] == group) == sorted(
            f"{group}{n}" for n in range(1, count + 1)
        )
    assert {case.hazard for case in CASES} <= set(ids)


SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_the_source_unpickles_evaluates_and_shells_nothing() -> None:
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            where = f"{file.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name.split(".")[0] for a in node.names}
                module = getattr(node, "module", None) or ""
                assert not DANGEROUS_MODULES & {*names, module.split(".")[0]}, where
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", "")
                assert called not in DANGEROUS_CALLS, where
                for keyword in node.keywords:
                    wanted = {"shell": True, "allow_pickle": True}.get(str(keyword.arg))
                    value = getattr(keyword.value, "value", None)
                    assert wanted is None or value is not wanted, where
            if isinstance(node, ast.ExceptHandler):
                handed_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                caught = getattr(node.type, "id", None)
                assert node.type is not None, where
                assert handed_on or caught not in {"Exception", "BaseException"}, where


def test_only_the_edge_opens_files_for_writing() -> None:
    """Result folders are filled by report and cli; everywhere else nothing is written."""
    allowed = {"io", "report", "cli", "viewer"}
    for file in SOURCES:
        part = file.relative_to(ROOT / "src" / "kyphoplan").parts[0]
        text = file.read_text(encoding="utf-8")
        if part not in allowed:
            assert not re.search(r"write_(text|bytes)\(|open\([^)]*[\"']w", text), file
