"""A folder from elsewhere may be deep, endless or a loop: it is looked through, or refused."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kyphoplan.errors import CaseError
from kyphoplan.io.files import MOST_FILES, files_below
from kyphoplan.io.gate import examine
from kyphoplan.io.sealing import sha256

DEPTH = 1500  # [1] folders in one another: deeper than Python recurses


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder in a folder, many times, with a file in the last."""
    here = [os.open(tmp_path, os.O_RDONLY)]
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=here[-1])
        here.append(os.open("d", os.O_RDONLY, dir_fd=here[-1]))
        os.close(here.pop(-2))
    os.close(os.open("last", os.O_CREAT | os.O_WRONLY, dir_fd=here[-1]))
    yield tmp_path
    os.unlink("last", dir_fd=here[-1])
    for _ in range(DEPTH):
        here.append(os.open("..", os.O_RDONLY, dir_fd=here[-1]))
        os.close(here.pop(-2))
        os.rmdir("d", dir_fd=here[-1])
    os.close(here[-1])


def test_deep_folders_are_looked_through(deep: Path) -> None:
    (last,) = files_below(deep)
    assert len(last.relative_to(deep).parts) == DEPTH + 1
    assert len(sha256(deep)) == 64
    found = examine(deep)
    assert found.reason is not None
    assert found.reason["code"] == "no_dicom"


def test_endless_folders_are_refused(tmp_path: Path) -> None:
    one = tmp_path / "0"
    one.touch()
    for number in range(1, MOST_FILES + 1):
        os.link(one, tmp_path / str(number))
    with pytest.raises(CaseError, match="more than 50000 files"):
        files_below(tmp_path)
    found = examine(tmp_path)
    assert found.reason is not None
    assert found.reason["code"] == "too_many_files"


def test_links_are_followed_to_files_only(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "nowhere").symlink_to("gone")
    os.mkfifo(tmp_path / "pipe")
    assert [file.name for file in files_below(tmp_path)] == ["a", "b"]
    assert files_below(tmp_path / "b") == [tmp_path / "b"]
    assert files_below(tmp_path / "gone") == []
