"""``measurements.json`` back into figures, so that a patient can be assessed without the scan."""

from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.case import (
    Confidence,
    CorticalGap,
    GapSite,
    Genant,
    Grade,
    Kyphosis,
    Level,
    Measure,
    Measurements,
    Notice,
    Severity,
    Shape,
    VertebraMeasures,
)
from kyphoplan.errors import CaseError
from kyphoplan.io.markups import read_json
from kyphoplan.report.tables import SCHEMA
from kyphoplan.report.wording import FIGURES

Json = dict[str, Any]


def read_measurements(path: str | Path) -> Measurements:
    """Read the figures that `measure` or `run` wrote.

    Raises
    ------
    CaseError
        If the file is not of the schema ``kyphoplan.measurements/1``.
    """
    path = Path(path)
    data = read_json(path)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise CaseError(f"{path}: is not of schema {SCHEMA}: give the measurements.json of a run")
    try:
        return Measurements(
            label_scheme=str(data["label_scheme"]),
            label_basis=str(data["label_basis"]),
            vertebrae=tuple(_vertebra(row) for row in data["vertebrae"]),
            kyphosis=tuple(_kyphosis(row) for row in data["kyphosis"]),
            notices=tuple(_notice(row) for row in data["warnings"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaseError(f"{path}: is damaged ({error}): measure the scan again") from error


def _measure(data: Json, unit: str) -> Measure:
    if data["unit"] != unit:
        raise ValueError(f"unit {data['unit']!r} where {unit!r} belongs")
    numbers = {
        end: None if data[end] is None else float(data[end]) for end in ("value", "low", "high")
    }
    return Measure(
        **numbers,
        unit=unit,
        confidence=Confidence(data["confidence"]),
        reason=data["reason"],
    )


def _vertebra(row: Json) -> VertebraMeasures:
    figures = {figure.field: _measure(row[figure.key], figure.unit) for figure in FIGURES}
    genant = row["genant"]
    grade = genant["grade"]
    return VertebraMeasures(
        level=Level.parse(row["level"]),
        genant=Genant(
            grade=None if grade is None else Grade(grade),
            shape=Shape(genant["shape"]),
            possible=tuple(Grade(one) for one in genant["possible"]),
            reason=genant["reason"],
        ),
        reference_basis=row["reference_basis"],
        cortical_gaps=tuple(_gap(gap) for gap in row["cortical_gaps"]),
        cortical_gaps_reason=row["cortical_gaps_reason"],
        **figures,
    )


def _gap(data: Json) -> CorticalGap:
    return CorticalGap(
        site=GapSite(data["site"]),
        centre_mm=np.asarray(data["centre_mm"], dtype=float),
        area=_measure(data["area_mm2"], "mm2"),
    )


def _kyphosis(data: Json) -> Kyphosis:
    return Kyphosis(
        upper=Level.parse(data["from"]),
        lower=Level.parse(data["to"]),
        cobb=_measure(data["cobb_deg"], "deg"),
    )


def _notice(data: Json) -> Notice:
    return Notice(
        code=data["code"],
        severity=Severity(data["severity"]),
        level=None if data["level"] is None else Level.parse(data["level"]),
        text=data["text"],
        remedy=data["remedy"],
    )
