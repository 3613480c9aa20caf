"""Names of structures: from tables and file names to levels."""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kyphoplan.case import Level
from kyphoplan.errors import CaseError

_NAME = re.compile(
    r"(?:vertebrae?|vert)?[\s_-]*([CTLS]\d{1,2})[\s_-]*(?:vertebrae?|vert)?", re.IGNORECASE
)
_VALUE_COLUMNS = ("index", "value", "label_value", "id", "mapping", "label")
_NAME_COLUMNS = ("name", "label", "abbreviation", "structure")
IMAGE_SUFFIXES = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha", ".mhd")


def level_of(name: str) -> Level | None:
    """Read the level in a structure's name; None if it names anything else.

    Examples
    --------
    >>> level_of("vertebrae_L1"), level_of("T12 vertebra"), level_of("rib_left_12")
    (<Level.L1: 301>, <Level.T12: 212>, None)
    """
    match = _NAME.fullmatch(name.strip())
    return Level.__members__.get(match[1].upper()) if match else None


def stem(path: Path) -> str:
    """Return a file's name without the endings of images.

    Examples
    --------
    >>> stem(Path("a/vertebrae_L1.nii.gz"))
    'vertebrae_L1'
    """
    name = path.name
    for suffix in IMAGE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def levels_from_names(names: Mapping[int, str], present: Iterable[int]) -> dict[int, Level]:
    """Return value -> level for the values that are present and named after a vertebra.

    Raises
    ------
    CaseError
        If two present values have the same level.
    """
    levels: dict[int, Level] = {}
    for value in present:
        level = level_of(names.get(value, ""))
        if level is None:
            continue
        if level in levels.values():
            raise CaseError(
                f"two label values are named {level}: give one value per vertebra",
                code="level_twice",
            )
        levels[value] = level
    return levels


def read_table(path: Path) -> dict[int, str]:
    """Read a table value -> name from JSON or TSV (as BIDS ``dseg.tsv``).

    Accepted are ``{"20": "L1"}``, ``{"L1": 20}``, the same one level down (``{"labels": {...}}``),
    and columns such as ``index`` and ``name``.

    Raises
    ------
    CaseError
        If the file cannot be read or holds no such table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        names = _from_json(json.loads(text)) if path.suffix.lower() == ".json" else _from_tsv(text)
    except FileNotFoundError as error:
        raise CaseError(
            f"{path}: does not exist: give a label scheme or a name table", code="name_table"
        ) from error
    except (OSError, ValueError, csv.Error) as error:
        raise CaseError(
            f"{path}: no readable name table ({error}): give JSON or TSV", code="name_table"
        ) from error
    if not names:
        raise CaseError(
            f'{path}: holds no label names: write it as {{"20": "L1", "21": "L2"}}',
            code="name_table",
        )
    return names


def _from_json(data: Any) -> dict[int, str]:
    if not isinstance(data, dict):
        return {}
    names: dict[int, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            names |= _from_json(value)
        elif _whole(key) is not None and isinstance(value, str):
            names[int(key)] = value
        elif _whole(value) is not None:
            names[int(value)] = key
    return names


def _whole(value: Any) -> int | None:
    """Return a whole number from a number or its text, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _from_tsv(text: str) -> dict[int, str]:
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    columns = {str(name).strip().lower(): name for name in (rows[0] if rows else {})}
    value = next((columns[c] for c in _VALUE_COLUMNS if c in columns), None)
    name = next((columns[c] for c in _NAME_COLUMNS if c in columns and columns[c] != value), None)
    if value is None or name is None:
        return {}
    pairs = ((_whole(row[value]), row[name]) for row in rows)
    return {number: text for number, text in pairs if number is not None and text}


def sidecar_of(path: Path) -> Path | None:
    """Return the name table beside a label map: same name, ending in .tsv or .json; or None."""
    base = path.with_name(stem(path))
    candidates = (base.with_name(f"{base.name}{end}") for end in (".tsv", "_dseg.tsv", ".json"))
    return next((c for c in candidates if c.is_file() and _has_levels(c)), None)


def _has_levels(path: Path) -> bool:
    """Say whether a file beside the label map is a name table (it may be anything)."""
    try:
        names = read_table(path)
    except CaseError:
        return False
    return any(level_of(name) for name in names.values())
