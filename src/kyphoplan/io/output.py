"""Writing so that an interruption leaves either the old result or the new one, never half."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kyphoplan.errors import OutputError

MARK = ".kyphoplan-result"  # the empty file by which a result folder of ours is known


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside the file; on success it takes the file's place in one step.

    The temporary name keeps the file's endings, since writers go by them.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    with _as_output_error(path):
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
            _flush(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: str | Path, data: Any) -> Path:
    """Write plain data as UTF-8 JSON, in the given order of keys.

    Raises
    ------
    OutputError
        If the file cannot be written.
    ValueError
        If a number is NaN or infinite: JSON has no such numbers.
    """
    path = Path(path)
    text = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


@contextmanager
def result_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a working folder that becomes the result folder in one step, if all goes well.

    Raises
    ------
    OutputError
        If there is a result already (without ``overwrite``), if the folder holds anything that is
        not a result of kyphoplan, or if the place cannot be written; all before any computing.
    """
    given = Path(path)
    path = given.absolute()
    with _as_output_error(given):
        _check_free(path, overwrite)
        ground = next(p for p in path.parents if p.exists())
        working = ground / f".{secrets.token_hex(4)}.{path.name}"
    with _as_output_error(given), _naming(given, working):
        try:
            working.mkdir()
            (working / MARK).touch()
            yield working
            for file in working.rglob("*"):
                _flush(file)
            _put_in_place(working, path)
        finally:
            shutil.rmtree(working, ignore_errors=True)


def _check_free(path: Path, overwrite: bool) -> None:
    """Refuse to replace a result unasked, and anything else always."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise OutputError(f"{path}: is a file, not a folder: give another folder")
    if next(path.iterdir(), None) is None:
        return
    if not (path / MARK).exists():
        raise OutputError(f"{path}: holds files that are no result of ours: give a new folder")
    if not overwrite:
        raise OutputError(f"{path}: holds a result: give another folder, or --overwrite")


def _put_in_place(working: Path, path: Path) -> None:
    """Rename the working folder to its final name; an older result goes only after that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    older = working.with_name(f"{working.name}.older")
    if path.exists():
        path.rename(older)
    try:
        working.rename(path)
    except OSError:
        if older.exists():
            older.rename(path)
        raise
    _flush(path.parent)
    shutil.rmtree(older, ignore_errors=True)


@contextmanager
def _naming(given: Path, working: Path) -> Iterator[None]:
    """Name in errors of writing the folder that was asked for, not the one that is worked in."""
    try:
        yield
    except OutputError as error:
        raise OutputError(str(error).replace(str(working), str(given))) from error


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path}: cannot be written ({reason}): check place, space and permission"
        ) from error


def _flush(path: Path) -> None:
    """Have the operating system put a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
