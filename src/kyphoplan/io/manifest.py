"""What a result was made from: inputs by their hash, programs by their versions, settings, times.

No path is kept, only the names of the inputs: a result may travel further than its inputs.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kyphoplan import __version__
from kyphoplan.case import Notice
from kyphoplan.io.casefile import to_json
from kyphoplan.io.files import files_below
from kyphoplan.io.sealing import sha256

SCHEMA = "kyphoplan.manifest/1"
LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "nibabel", "pydicom", "matplotlib")
EPOCH = "SOURCE_DATE_EPOCH"  # the date of a run that is to be repeated exactly [s since 1970]


def manifest(
    inputs: Mapping[str, Path],
    parameters: Mapping[str, Any],
    timings_s: Mapping[str, float],
    warnings: Sequence[Notice],
    *,
    level_names: str = "",
    command: str = "",
) -> dict[str, Any]:
    """Return the record of one run as plain JSON data.

    Parameters
    ----------
    inputs : what each input serves as, and where it lies (a file or a folder).
    parameters : the settings of the run.
    timings_s : seconds per stage [s].
    level_names : how it is known which vertebra is which.
    command : name of the command; its arguments are the inputs and parameters.
    """
    return {
        "schema": SCHEMA,
        "made_by": f"kyphoplan {__version__}",
        "date_utc": date_utc(),
        "command": command,
        "level_names": level_names,
        "inputs": {role: _input(path) for role, path in inputs.items()},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
        "platform": f"{platform.system()} {platform.machine()}",
        "parameters": to_json(dict(parameters)),
        "timings_s": {stage: round(seconds, 3) for stage, seconds in timings_s.items()},
        "warnings": to_json(tuple(warnings)),
    }


def date_utc() -> str:
    """Return the time now, or the one that ``SOURCE_DATE_EPOCH`` states.

    References
    ----------
    Reproducible Builds, SOURCE_DATE_EPOCH specification 1.0.
    """
    stated = os.environ.get(EPOCH, "")
    now = datetime.fromtimestamp(int(stated), UTC) if stated.isdigit() else datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _input(path: Path) -> dict[str, Any]:
    files = files_below(path)
    return {
        "name": path.name,
        "files": len(files),
        "bytes": sum(p.stat().st_size for p in files),
        "sha256": sha256(path),
    }
