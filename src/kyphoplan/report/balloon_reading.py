"""Balloons and cement of a plan JSON, to be judged: device, place, size and volumes only."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.case import Confidence, Fill, Inflation, Measure, Side
from kyphoplan.errors import CaseError
from kyphoplan.io.markups import place_of

NOT_JUDGED = "not judged yet"
LARGEST_MM, LARGEST_ML = 100.0, 100.0  # [mm], [ml] nothing that goes into a body is larger

Extras = tuple[tuple[Inflation, ...], Fill | None]


def balloons_and_cement(path: Path, row: dict[str, Any]) -> Extras:
    """Read the balloons and the cement of one level.

    A side without a balloon (volume 0) is left out. Volumes are numbers, or figures with a
    ``value``, as we write them.

    Raises
    ------
    CaseError
        If a balloon or a volume cannot be used.
    """
    found = row.get("balloons", [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise CaseError(f"{path}: balloons is no list of objects: write the plan again")
    balloons = (_balloon(path, item) for item in found)
    cement = row.get("cement")
    if cement is not None and not isinstance(cement, dict):
        raise CaseError(f"{path}: cement is no object: write the plan again")
    return (
        tuple(balloon for balloon in balloons if balloon.volume_ml > 0.0),
        None if cement is None else _fill(path, cement),
    )


def _balloon(path: Path, item: dict[str, Any]) -> Inflation:
    try:
        side = Side(str(item.get("side", "")))
    except ValueError:
        raise CaseError(
            f"{path}: side {item.get('side')!r} of a balloon is unknown: give left or right"
        ) from None
    axis = np.asarray(place_of(path, item.get("axis_lps"), f"{side} balloon axis_lps"))
    length = float(np.linalg.norm(axis))
    if length < 0.5:  # noqa: PLR2004 - a direction, of length 1
        raise CaseError(f"{path}: axis_lps of the {side} balloon is no direction: give length 1")
    return Inflation(
        side=side,
        device=str(item.get("device", "")),
        centre_mm=place_of(path, item.get("centre_lps_mm"), f"{side} balloon centre_lps_mm"),
        axis=axis / length,
        length_mm=_number(path, item, "length_mm", LARGEST_MM),
        diameter_mm=_number(path, item, "diameter_mm", LARGEST_MM),
        volume_ml=_number(path, item, "volume_ml", LARGEST_ML),
        largest_volume_ml=0.0,
        largest_pressure_bar=0.0,
        verified=False,
        margin_mm=Measure.unknown("mm", NOT_JUDGED),
        accepted=False,
        reason=NOT_JUDGED,
    )


def _fill(path: Path, cement: dict[str, Any]) -> Fill | None:
    """Read the volumes of cement; None if there is no volume at all."""
    volumes = {name: _volume(path, cement, name) for name in ("left_ml", "right_ml", "volume_ml")}
    sides = [v for name, v in volumes.items() if name != "volume_ml" and v is not None]
    total = volumes["volume_ml"]
    if total is None and not sides:
        return None
    return Fill(
        left=_drawn(volumes["left_ml"]),
        right=_drawn(volumes["right_ml"]),
        total=_drawn(sum(sides) if total is None else total),
        fraction=Measure.unknown("%", NOT_JUDGED),
        basis=NOT_JUDGED,
        accepted=False,
        reason=NOT_JUDGED,
    )


def _volume(path: Path, cement: dict[str, Any], name: str) -> float | None:
    figure = cement.get(name)
    held = figure if isinstance(figure, dict) else {"value": figure}
    if held.get("value") is None:
        return None
    return _number(path, {name: held["value"]}, name, LARGEST_ML)


def _drawn(volume: float | None) -> Measure:
    if volume is None:
        return Measure.unknown("ml", "no volume on this side")
    return Measure(
        value=volume,
        low=volume,
        high=volume,
        unit="ml",
        confidence=Confidence.LOW,
        reason="as drawn",
    )


def _number(path: Path, item: dict[str, Any], name: str, largest: float) -> float:
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CaseError(f"{path}: {name} {value!r} is no number: give one from 0 to {largest:g}")
    if not 0.0 <= value <= largest:
        raise CaseError(f"{path}: {name} {value!r}: give a number from 0 to {largest:g}")
    return float(value)
