"""What a result was made from: inputs by their hash, programs by their versions, settings, times.

No path is kept, only the names of the inputs: a result may travel further than its inputs.
"""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kyphoplan import __version__
from kyphoplan.case import Notice
from kyphoplan.io.casefile import to_json

SCHEMA = "kyphoplan.manifest/1"
LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "nibabel", "pydicom", "matplotlib")
BLOCK = 1 << 20  # [byte] read at once


def manifest(
    inputs: Mapping[str, Path],
    parameters: Mapping[str, Any],
    timings_s: Mapping[str, float],
    warnings: Sequence[Notice],
) -> dict[str, Any]:
    """Return the record of one run as plain JSON data.

    Parameters
    ----------
    inputs : what each input serves as, and where it lies (a file or a folder).
    parameters : the settings of the run.
    timings_s : seconds per stage [s].
    """
    return {
        "schema": SCHEMA,
        "made_by": f"kyphoplan {__version__}",
        "inputs": {role: _input(path) for role, path in inputs.items()},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
        "platform": f"{platform.system()} {platform.machine()}",
        "parameters": to_json(dict(parameters)),
        "timings_s": {stage: round(seconds, 3) for stage, seconds in timings_s.items()},
        "warnings": to_json(tuple(warnings)),
    }


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files in order of their names.

    A folder's hash is that of the lines ``hash  name`` of its files, as ``sha256sum`` prints them.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        lines = (f"{sha256(p)}  {p.relative_to(path).as_posix()}\n" for p in files)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _input(path: Path) -> dict[str, Any]:
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return {
        "name": path.name,
        "files": len(files),
        "bytes": sum(p.stat().st_size for p in files),
        "sha256": sha256(path),
    }
