"""What `import kyphoplan` gives, and what it must not cost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kyphoplan

HEAVY = ("numpy", "scipy", "skimage", "nibabel", "SimpleITK", "pydicom", "matplotlib", "typer")


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = "import sys, kyphoplan; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(run.stdout.split())


@pytest.mark.parametrize("name", kyphoplan.__all__)
def test_every_public_name_is_found_at_the_top_and_listed(name: str) -> None:
    assert getattr(kyphoplan, name) is not None
    assert name in dir(kyphoplan)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'cure'"):
        _ = kyphoplan.cure  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names_from_the_same_homes() -> None:
    tree = ast.parse(Path(kyphoplan.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: statement.module
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen == kyphoplan._HOME
    assert sorted(seen) == list(kyphoplan.__all__)
