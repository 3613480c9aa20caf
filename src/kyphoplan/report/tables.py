"""Measurements as strict JSON: the contract ``kyphoplan.measurements/1``."""

from typing import Any

from kyphoplan import __version__
from kyphoplan.case import (
    CorticalGap,
    Genant,
    Kyphosis,
    Measure,
    Measurements,
    Notice,
    Severity,
    VertebraMeasures,
)
from kyphoplan.report.wording import FIGURES, INTENDED_USE

SCHEMA = "kyphoplan.measurements/1"

Json = dict[str, Any]


def measurements_to_json(measurements: Measurements) -> Json:
    """Return the figures as a tree of plain values that JSON holds without loss.

    A figure that could not be measured is ``null`` with its reason, never 0 or NaN.

    Raises
    ------
    ValueError
        If a figure has another unit than its name says.
    """
    return {
        "schema": SCHEMA,
        "intended_use": INTENDED_USE,
        "made_by": f"kyphoplan {__version__}",
        "verdict": verdict(measurements),
        "warnings": [notice_to_json(n) for n in measurements.notices],
        "label_scheme": measurements.label_scheme,
        "label_basis": measurements.label_basis,
        "vertebrae": [_vertebra(row) for row in measurements.vertebrae],
        "kyphosis": [_kyphosis(row) for row in measurements.kyphosis],
    }


def verdict(measurements: Measurements) -> str:
    """Say ``ok``, ``ok_with_warnings`` or, if not one figure could be measured, ``refused``."""
    if not anything_measured(measurements):
        return "refused"
    if any(n.severity is not Severity.INFO for n in measurements.notices):
        return "ok_with_warnings"
    return "ok"


def anything_measured(measurements: Measurements) -> bool:
    """Say whether any figure of any vertebra has a value."""
    return any(
        getattr(row, figure.field).value is not None
        for row in measurements.vertebrae
        for figure in FIGURES
        if not figure.field.startswith("expected")
    )


def measure_to_json(measure: Measure) -> Json:
    """Return one figure with its interval, unit, confidence and reason."""
    return {
        "value": measure.value,
        "low": measure.low,
        "high": measure.high,
        "unit": measure.unit,
        "confidence": str(measure.confidence),
        "reason": measure.reason,
    }


def _vertebra(row: VertebraMeasures) -> Json:
    return {
        "level": str(row.level),
        **{figure.key: _figure(row, figure.field, figure.unit) for figure in FIGURES},
        "genant": _genant(row.genant),
        "fractured": row.fractured,
        "reference_basis": row.reference_basis,
        "cortical_gaps": [_gap(gap) for gap in row.cortical_gaps],
        "cortical_gaps_reason": row.cortical_gaps_reason,
    }


def _figure(row: VertebraMeasures, field: str, unit: str) -> Json:
    measure: Measure = getattr(row, field)
    if measure.unit != unit:
        raise ValueError(f"{row.level} {field} is in {measure.unit!r}: give {unit!r}")
    return measure_to_json(measure)


def _genant(genant: Genant) -> Json:
    return {
        "grade": None if genant.grade is None else int(genant.grade),
        "shape": str(genant.shape),
        "possible": [int(grade) for grade in genant.possible],
        "reason": genant.reason,
    }


def _gap(gap: CorticalGap) -> Json:
    return {
        "site": str(gap.site),
        "centre_mm": [float(x) for x in gap.centre_mm],
        "area_mm2": measure_to_json(gap.area),
    }


def notice_to_json(notice: Notice) -> Json:
    """Return one warning as data."""
    return {
        "code": notice.code,
        "severity": str(notice.severity),
        "level": None if notice.level is None else str(notice.level),
        "text": notice.text,
        "remedy": notice.remedy,
    }


def _kyphosis(row: Kyphosis) -> Json:
    return {
        "from": str(row.upper),
        "to": str(row.lower),
        "cobb_deg": measure_to_json(row.cobb),
    }
