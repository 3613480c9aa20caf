"""The files below a folder, which may be endless, a thousand folders deep, or a loop of links."""

import os
from pathlib import Path

from kyphoplan.errors import CaseError

MOST_FILES = 50_000  # [1] files and folders below a folder that are looked at; own choice


def files_below(path: Path) -> list[Path]:
    """Return all files below a folder, sorted; the path itself where it is a file.

    Links to folders are not followed.

    Raises
    ------
    CaseError
        If there are more than `MOST_FILES`.
    OSError
        If a folder cannot be read.
    """
    if not path.is_dir():
        return [path] if path.is_file() else []
    found: list[Path] = []
    folders, seen = [path], 0
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif Path(entry.path).is_file():
                    found.append(Path(entry.path))
                if seen > MOST_FILES:
                    text = f"holds more than {MOST_FILES} files: give the folder of one series"
                    raise CaseError(text, code="too_many_files")
    return sorted(found)
