"""The seal of a result folder: the SHA-256 of every file, so that one changed byte is found.

The seal is the hidden file ``.kyphoplan-result``, in the form that ``sha256sum -c`` reads; its
last line is the hash of the lines above. ``manifest.json``, where a run writes one, lists the
same files for programs.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from kyphoplan.errors import CaseError
from kyphoplan.io.files import files_below
from kyphoplan.io.stamping import Stamp, stamp

MARK = ".kyphoplan-result"  # the file by which a result folder of ours is known
RECORD = "manifest.json"
OWN = "#sha256 of the lines above: "
BLOCK = 1 << 20  # [byte] read at once


def seal(folder: Path) -> None:
    """Stamp the files of a finished folder, list them in its manifest, and seal it."""
    record = folder / RECORD
    about: dict[str, Any] = {}
    if record.exists():
        about = json.loads(record.read_text(encoding="utf-8"))
        mark = Stamp.of(about)
        for file in _files(folder):
            if file != record:
                stamp(file, mark)
        about["files"] = {
            name: digest for name, digest in hashes(folder).items() if name != RECORD
        }
        text = json.dumps(about, ensure_ascii=False, indent=2, allow_nan=False)
        record.write_text(text + "\n", encoding="utf-8")
    lines = "".join(f"{digest}  {name}\n" for name, digest in hashes(folder).items())
    own = hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
    (folder / MARK).write_bytes((lines + OWN + own + "\n").encode("utf-8", "surrogateescape"))


def broken_seals(folder: Path) -> tuple[str, ...]:
    """Return what is no longer as it was written: changed, missing and added files.

    Raises
    ------
    CaseError
        If the folder is no result of kyphoplan, or its seal itself was changed.
    """
    stored = sealed_hashes(folder)
    there = hashes(folder)
    return (
        *(f"{name}: is missing" for name in stored if name not in there),
        *(
            f"{name}: was changed"
            for name in stored
            if there.get(name, "") not in ("", stored[name])
        ),
        *(f"{name}: was added" for name in there if name not in stored),
    )


def sealed_hashes(folder: Path) -> dict[str, str]:
    """Return name -> SHA-256 as the seal of a result folder states them.

    Raises
    ------
    CaseError
        If there is no seal, or it was changed.
    """
    mark = folder / MARK
    if not mark.is_file():
        raise CaseError("is no result of kyphoplan (no seal): give the folder of a result")
    lines, _, own = mark.read_bytes().decode("utf-8", "surrogateescape").rpartition(OWN)
    if own != hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest() + "\n":
        raise CaseError(f"{MARK}: the seal itself was changed: make the result again")
    pairs = (line.split("  ", 1) for line in lines.split("\n")[:-1])
    return {name: digest for digest, name in pairs}


def hashes(folder: Path) -> dict[str, str]:
    """Return name -> SHA-256 of all files of a folder, but its own seal."""
    return {file.relative_to(folder).as_posix(): sha256(file) for file in _files(folder)}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files in order of their names.

    A folder's hash is that of the lines ``hash  name`` of its files, as ``sha256sum`` prints them.
    """
    if path.is_dir():
        lines = (f"{sha256(p)}  {p.relative_to(path).as_posix()}\n" for p in files_below(path))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    own = folder / MARK
    return sorted(file for file in folder.rglob("*") if not file.is_dir() and file != own)
