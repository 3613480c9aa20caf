"""What the door says of an input: one of three verdicts, with reasons, warnings and geometry.

`examine` reads by the same code as every command, and computes nothing.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan import __version__
from kyphoplan.case import LabelMap, Notice, Severity, Volume
from kyphoplan.errors import CaseError
from kyphoplan.io.casefile import to_json
from kyphoplan.io.labels import read_labels_with_notices
from kyphoplan.io.placement import tilt_deg
from kyphoplan.io.stamping import USE
from kyphoplan.io.stated import letters_of
from kyphoplan.io.volumes import read_ct

SCHEMA = "kyphoplan.inspection/1"
DIGITS = 6  # [1] decimals of geometry


class Verdict(StrEnum):
    """What becomes of an input."""

    OK = "ok"
    OK_WITH_WARNINGS = "ok_with_warnings"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The gate's word on one input.

    Attributes
    ----------
    reason : code and text of a refusal.
    notices : what the reader has to report.
    geometry : shape, spacing, orientation letters, tilt, affine.
    series : the series of a DICOM folder.
    labels : scheme, basis and levels of a label map.
    """

    verdict: Verdict
    reason: dict[str, str] | None = None
    notices: tuple[Notice, ...] = ()
    geometry: dict[str, Any] = field(default_factory=dict)
    series: tuple[Any, ...] = ()
    labels: dict[str, Any] = field(default_factory=dict)

    def to_json(self, name: str) -> dict[str, Any]:
        """Return it as plain data, under the name of the input."""
        return {
            "schema": SCHEMA,
            "intended_use": USE,
            "made_by": f"kyphoplan {__version__}",
            "input": name,
            "verdict": str(self.verdict),
            "reasons": [] if self.reason is None else [self.reason],
            "warnings": to_json(self.notices),
            "geometry": self.geometry,
            "series": list(self.series),
            "labels": self.labels,
        }


def verdict_of(notices: tuple[Notice, ...]) -> Verdict:
    """Return the verdict on what was read, by the gravest of its notices."""
    grave = any(notice.severity is not Severity.INFO for notice in notices)
    return Verdict.OK_WITH_WARNINGS if grave else Verdict.OK


def examine(
    path: str | Path,
    *,
    labels: bool = False,
    series: str | None = None,
    scheme: str | None = None,
    assume_orientation: str | None = None,
) -> Examined:
    """Say what the gate says of a CT, or of a label map."""
    try:
        if labels:
            found, notices = read_labels_with_notices(
                path, scheme=scheme, assume_orientation=assume_orientation
            )
            return Examined(
                verdict=verdict_of(notices),
                notices=notices,
                geometry=geometry_of(found.volume),
                labels=_names(found),
            )
        volume, notices, listed = read_ct(
            path, series=series, assume_orientation=assume_orientation
        )
    except CaseError as error:
        return Examined(
            verdict=Verdict.REFUSED,
            reason={"code": error.code, "text": str(error)},
            series=tuple(error.found.get("series", ())),
        )
    return Examined(
        verdict=verdict_of(notices),
        notices=notices,
        geometry=geometry_of(volume),
        series=listed,
    )


def geometry_of(volume: Volume) -> dict[str, Any]:
    """Return shape, spacing, where the axes lead, tilt and affine as plain data."""
    return {
        "shape": list(volume.shape),
        "spacing_mm": np.round(volume.spacing_mm, DIGITS).tolist(),
        "orientation": letters_of(volume.affine),
        "tilt_deg": round(tilt_deg(volume.affine), DIGITS),
        "affine_lps_mm": np.round(volume.affine, DIGITS).tolist(),
    }


def _names(found: LabelMap) -> dict[str, Any]:
    levels = {str(value): str(level) for value, level in found.levels.items()}
    return {"scheme": found.scheme, "basis": found.basis, "levels": levels}
