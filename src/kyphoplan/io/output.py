"""Writing so that an interruption leaves either the old result or the new one, never half.

The one place where kyphoplan writes: a file through `replacing` or `write_json`, a result through
`result_folder`. Everything else hands its bytes to these.
"""

import json
import os
import secrets
import shutil
import signal
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kyphoplan.errors import OutputError
from kyphoplan.io.exchange import exchange
from kyphoplan.io.locking import LOCK, locked
from kyphoplan.io.sealing import MARK, seal

LEAST_BYTES = 64 * 1024**2  # [byte] free space for pages, pictures and meshes of a result
WORKING, OLDER = ".kyphoplan-new", ".kyphoplan-old"  # endings of the names of leftovers
TOKEN = 4  # [byte] of chance in a temporary name


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
    temporary = path.with_name(f".{secrets.token_hex(TOKEN)}.{path.name}")
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
def result_folder(
    path: str | Path, *, overwrite: bool = False, need_bytes: int = LEAST_BYTES
) -> Iterator[Path]:
    """Yield a working folder that becomes the result folder in one step, if all goes well.

    Before it appears its files are stamped with what ``manifest.json`` says of the run (see
    `stamping`), and sealed with the SHA-256 of each (see `sealing`). Only one run at a time can
    write a result, and what an interrupted run has left behind is removed by the next.

    Parameters
    ----------
    need_bytes : free space that the result will need [byte].

    Raises
    ------
    OutputError
        If there is a result already (without ``overwrite``), if the folder holds anything that is
        not a result of kyphoplan, if another run writes it, or if the place cannot be written or
        is too small; all before any computing.
    """
    given = Path(path)
    with _as_output_error(given):
        path = _place(given)
        _check_free(given, path, overwrite)
        ground = next(p for p in path.parents if p.exists())
        working = ground / f".{path.name}.{secrets.token_hex(TOKEN)}{WORKING}"
    with _as_output_error(given), _naming(given, working), locked(ground / f".{path.name}{LOCK}"):
        _clear_leftovers(path, ground)
        _check_free(given, path, overwrite)
        try:
            working.mkdir()
            _check_space(given, ground, need_bytes)
            yield working
            seal(working)
            _flush_all(working)
            with _undisturbed():
                _put_in_place(working, path)
        finally:
            shutil.rmtree(working, ignore_errors=True)


def _place(given: Path) -> Path:
    """Return where the folder will lie, with nothing but its own name left to decide."""
    path = given.absolute()
    if path.name in {"", ".."}:
        raise OutputError(f"{given}: is no name for a new folder: give one")
    if any(unicodedata.category(letter) == "Cc" for letter in path.name):
        raise OutputError(f"{given}: its name has control characters: give a plain name")
    return path.parent.resolve() / path.name


def _check_free(given: Path, path: Path, overwrite: bool) -> None:
    """Refuse to replace a result unasked, and anything else always."""
    if path.is_symlink():
        raise OutputError(f"{given}: is a symbolic link: give the folder itself")
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"{given}: is a file, not a folder: give another folder")
    if next(path.iterdir(), None) is None:
        return
    if not (path / MARK).exists():
        raise OutputError(f"{given}: holds files that are no result of ours: give a new folder")
    if not overwrite:
        raise OutputError(f"{given}: holds a result: give another folder, or --overwrite")


def _check_space(given: Path, ground: Path, need_bytes: int) -> None:
    free = shutil.disk_usage(ground).free
    if free < need_bytes:
        raise OutputError(
            f"{given}: disk full: need {need_bytes / 1e6:.0f} MB, have {free / 1e6:.0f}: make "
            "room, or give a folder on another disk"
        )


def _clear_leftovers(path: Path, ground: Path) -> None:
    """Remove what an interrupted run left; give back a result that it was just replacing."""
    for older in _leftovers(path, ground, OLDER):
        if path.exists():
            shutil.rmtree(older)
        else:
            older.rename(path)
    for working in _leftovers(path, ground, WORKING):
        shutil.rmtree(working)


def _leftovers(path: Path, ground: Path, ending: str) -> list[Path]:
    length = len(f".{path.name}.") + 2 * TOKEN + len(ending)
    return [
        entry
        for entry in ground.iterdir()
        if entry.name.startswith(f".{path.name}.")
        and entry.name.endswith(ending)
        and len(entry.name) == length
    ]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no signal end the run in the few milliseconds in which the result appears."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _put_in_place(working: Path, path: Path) -> None:
    """Give the working folder its final name; an older result goes only after that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        working.rename(path)
    elif exchange(working, path):
        _flush(path.parent)
        shutil.rmtree(working, ignore_errors=True)
    else:
        _replace_in_two_steps(working, path)
    _flush(path.parent)


def _replace_in_two_steps(working: Path, path: Path) -> None:
    """Replace where the system cannot swap names; `_clear_leftovers` mends an interruption."""
    older = working.with_name(working.name.removesuffix(WORKING) + OLDER)
    path.rename(older)
    try:
        working.rename(path)
    except OSError:
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
        text = str(error).replace(str(working), str(given))
        raise OutputError(text if text.startswith(str(given)) else f"{given}: {text}") from error


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path}: cannot be written ({reason}): check place, space and permission"
        ) from error


def _flush_all(folder: Path) -> None:
    """Flush all files of a folder, then its folders from the deepest up."""
    entries = sorted(folder.rglob("*"), key=lambda entry: -len(entry.parts))
    for entry in [*(e for e in entries if not e.is_dir()), *(e for e in entries if e.is_dir())]:
        _flush(entry)
    _flush(folder)


def _flush(path: Path) -> None:
    """Have the operating system put a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
