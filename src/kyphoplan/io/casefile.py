"""Nouns to plain JSON data and back: one generic pair for all frozen dataclasses."""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from kyphoplan.case import Level, Volume
from kyphoplan.errors import CaseError

T = TypeVar("T")


def to_json(noun: Any) -> Any:
    """Return a noun as plain data for `write_json`: dict, list, str, number, bool or None.

    A level becomes its name, any other enum its value, a date its ISO form, an array a list of
    lists.

    Raises
    ------
    TypeError
        If there is something that does not belong into JSON (a volume, an open file).

    Examples
    --------
    >>> from kyphoplan.case import Measure
    >>> to_json({Level.L1: Measure.unknown("mm", "cropped")})["L1"]["reason"]
    'cropped'
    """
    if isinstance(noun, Volume):
        raise TypeError("a volume does not go into JSON: write it with write_volume")
    if noun is None or isinstance(noun, Enum | bool | int | float | str | date):
        return _plain(noun)
    if is_dataclass(noun) and not isinstance(noun, type):
        return {f.name: to_json(getattr(noun, f.name)) for f in fields(noun)}
    if isinstance(noun, np.ndarray | np.generic):
        return noun.tolist()
    if isinstance(noun, Mapping):
        return {str(to_json(key)): to_json(value) for key, value in noun.items()}
    if isinstance(noun, tuple | list):
        return [to_json(item) for item in noun]
    raise TypeError(f"{type(noun).__name__} does not go into JSON: give plain data or dataclasses")


def _plain(noun: Any) -> Any:
    if isinstance(noun, Enum):
        return noun.name if isinstance(noun, Level) else noun.value
    return noun.isoformat() if isinstance(noun, date) else noun


def from_json(kind: type[T], data: Any) -> T:
    """Rebuild a noun of a given type from what `to_json` gave.

    Raises
    ------
    CaseError
        If the data are not those of such a noun.

    Examples
    --------
    >>> from kyphoplan.case import Measure
    >>> m = Measure.of(24.1, 0.2, "mm", "voxel size")
    >>> from_json(Measure, to_json(m)) == m
    True
    """
    try:
        return typing.cast("T", _rebuild(kind, data))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise CaseError(f"data are no {kind.__name__} ({error}): write the file again") from error


def _rebuild(kind: Any, data: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _rebuild_optional(inner, data)
    if origin is np.ndarray or kind is np.ndarray:
        return np.asarray(data, dtype=float)
    if origin is tuple:
        of = [inner[0]] * len(data) if inner[1:] == (...,) else inner
        return tuple(_rebuild(k, item) for k, item in zip(of, data, strict=True))
    if origin is list:
        return [_rebuild(inner[0], item) for item in data]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {_rebuild_key(inner[0], k): _rebuild(inner[1], v) for k, v in data.items()}
    return _rebuild_plain(kind, data)


def _rebuild_optional(kinds: tuple[Any, ...], data: Any) -> Any:
    """Rebuild ``X | None``: the nouns have no other unions."""
    if data is None:
        return None
    return _rebuild(next(k for k in kinds if k is not types.NoneType), data)


def _rebuild_plain(kind: Any, data: Any) -> Any:
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        unknown = set(data) - {f.name for f in fields(kind)}
        if unknown:
            raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
        return kind(**{name: _rebuild(hints[name], value) for name, value in data.items()})  # type: ignore[operator]
    if kind is Level:
        return Level.parse(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is date:
        return date.fromisoformat(data)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if kind is not Any and not isinstance(data, kind):
        raise TypeError(f"{data!r} is no {kind.__name__}")
    return data


def _rebuild_key(kind: Any, text: str) -> Any:
    return int(text) if kind is int else _rebuild(kind, text)
