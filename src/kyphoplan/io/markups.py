"""Trajectories as 3D Slicer markups (``.mrk.json``): one line from entry to target, LPS mm.

References
----------
3D Slicer, Markups JSON file format, schema 1.0.3.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.case import Level, Side
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.io.output import write_json

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
    "Resources/Schema/markups-schema-v1.0.3.json#"
)
SUFFIX = ".mrk.json"
TO_LPS = {"LPS": np.array([1.0, 1.0, 1.0]), "RAS": np.array([-1.0, -1.0, 1.0])}
FARTHEST_MM = 1e5  # [mm] no scanner's coordinate is larger
LARGEST_FILE = 10_000_000  # [byte] a hand-drawn line takes about 2 kB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A straight line somebody drew.

    Attributes
    ----------
    name : of the line, or of the file.
    entry_mm, target_mm : (3,) first and last point [mm, LPS].
    outer_diameter_mm : of the cannula [mm], if the file tells.
    """

    name: str
    entry_mm: Array
    target_mm: Array
    outer_diameter_mm: float | None = None


def write_line(path: str | Path, line: Line) -> Path:
    """Write a line that 3D Slicer opens by drag and drop.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    points = (("entry", line.entry_mm), ("target", line.target_mm))
    about = "" if line.outer_diameter_mm is None else f"cannula {line.outer_diameter_mm} mm"
    markup = {
        "type": "Line",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(points),
        "name": line.name,
        "controlPoints": [
            {
                "id": str(number),
                "label": f"{line.name} {what}",
                "description": about,
                "position": [float(x) for x in place],
                "selected": True,
                "locked": True,
                "visibility": True,
                "positionStatus": "defined",
            }
            for number, (what, place) in enumerate(points, 1)
        ],
        "measurements": [],
    }
    return write_json(path, {"@schema": SCHEMA, "markups": [markup]})


def read_lines(path: str | Path) -> tuple[Line, ...]:
    """Read all lines of a markups file, in LPS whatever the file uses.

    The first point of a line is the entry and the second the target, unless their labels say
    otherwise.

    Raises
    ------
    CaseError
        If it is no markups file, holds no line, or does not say which space it is in.
    """
    path = Path(path)
    data = read_json(path)
    markups = data.get("markups") if isinstance(data, dict) else None
    if not isinstance(markups, list):
        raise CaseError(f"{path}: is no 3D Slicer markups file: save a line as .mrk.json")
    lines = [m for m in markups if isinstance(m, dict) and m.get("type") == "Line"]
    if not lines:
        raise CaseError(f"{path}: holds no line: draw a line from entry to target")
    fallback = path.name.removesuffix(SUFFIX)
    return tuple(_line(path, markup, fallback) for markup in lines)


def level_and_side(name: str) -> tuple[Level | None, Side | None]:
    """Find a vertebra and a side in a name.

    Examples
    --------
    >>> level_and_side("L1 left entry")
    (<Level.L1: 301>, <Side.LEFT: 'left'>)
    >>> level_and_side("T12_right.mrk"), level_and_side("line-1")
    ((<Level.T12: 212>, <Side.RIGHT: 'right'>), (None, None))
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    levels = {Level[word.upper()] for word in words if word.upper() in Level.__members__}
    sides = {side for side in Side if str(side) in {word.lower() for word in words}}
    return (
        levels.pop() if len(levels) == 1 else None,
        sides.pop() if len(sides) == 1 else None,
    )


def read_json(path: Path) -> Any:
    """Read a JSON file of moderate size; a refusal names the file."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CaseError(f"{path}: is too large for a plan: give the plan itself")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CaseError(f"{path}: does not exist: give the path of a plan") from None
    except OSError as error:
        raise CaseError(f"{path}: cannot be read ({error.strerror}): check it") from error
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{path}: is no JSON ({error}): export the plan again") from error


def place_of(path: Path, numbers: Any, what: str) -> Array:
    """Check that something is a place in a patient: three numbers, none of them absurd."""
    good = isinstance(numbers, list) and len(numbers) == 3 and all(map(_is_length, numbers))  # noqa: PLR2004
    if not good:
        raise CaseError(f"{path}: {what} is not a place: give three finite numbers [mm]")
    return np.array(numbers, dtype=float)


def _is_length(number: Any) -> bool:
    """Say whether something is a number that may be a coordinate [mm]; NaN is not."""
    return (
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and abs(number) <= FARTHEST_MM
    )


def _line(path: Path, markup: dict[str, Any], fallback: str) -> Line:
    points = markup.get("controlPoints")
    if not isinstance(points, list) or len(points) != 2:  # noqa: PLR2004 - a line has two ends
        raise CaseError(f"{path}: a line needs two points: draw it from entry to target")
    if not all(isinstance(point, dict) for point in points):
        raise CaseError(f"{path}: a point of a line is not a place: save the line again")
    if any(point.get("positionStatus", "defined") != "defined" for point in points):
        raise CaseError(f"{path}: a point of a line was not placed: draw it from entry to target")
    flip = TO_LPS.get(str(markup.get("coordinateSystem", "")))
    if flip is None:
        raise CaseError(f"{path}: does not say LPS or RAS: set coordinateSystem")
    if markup.get("coordinateUnits", "mm") != "mm":
        raise CaseError(f"{path}: is not in millimetres: save it in mm")
    if str(points[0].get("label", "")).lower().endswith("target"):
        points = points[::-1]
    entry, target = (
        flip * place_of(path, p.get("position"), f"point {n}") for n, p in enumerate(points, 1)
    )
    label = str(points[0].get("label", ""))
    return Line(
        name=" ".join([str(markup.get("name") or ""), label, fallback]).strip(),
        entry_mm=entry,
        target_mm=target,
        outer_diameter_mm=_diameter(points),
    )


def _diameter(points: list[dict[str, Any]]) -> float | None:
    match = re.search(r"cannula (\d+(?:\.\d+)?) mm", str(points[0].get("description", "")))
    return float(match[1]) if match else None
