"""The stages that several commands share: read, find the anatomy, measure, choose levels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kyphoplan.case.level import Level
from kyphoplan.cli.console import Progress
from kyphoplan.errors import CaseError, NotFoundError

if TYPE_CHECKING:
    from kyphoplan.case import LabelMap, Measurements, Notice, Spine, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What was read of one patient."""

    labels: "LabelMap"
    ct: "Volume | None"
    notices: "tuple[Notice, ...]"


def read(
    progress: Progress,
    labels: Path,
    ct: Path | None,
    *,
    scheme: str | None,
    levels: Sequence[Level] | None = None,
    series: str | None = None,
    assume_orientation: str | None = None,
) -> Scanned:
    """Read labels and CT, check that they belong together and hold the chosen levels."""
    with progress.stage("read"):
        from kyphoplan import io  # noqa: PLC0415 - keeps `--help` fast
        from kyphoplan.io.gaps import touching  # noqa: PLC0415
        from kyphoplan.io.label_schemes import SUBREGIONS  # noqa: PLC0415

        in_view = levels if scheme == SUBREGIONS else None
        label_map, notices = io.read_labels_with_notices(
            labels, scheme=scheme, levels=in_view, assume_orientation=assume_orientation
        )
        volume = None
        if ct is not None:
            try:
                volume, more = io.read_volume_with_notices(
                    ct, series=series, assume_orientation=assume_orientation
                )
            except CaseError as error:
                raise touching(error, label_map) from error
            notices += more + io.check_together(volume, label_map)
        _check_levels(labels, label_map, levels)
    return Scanned(labels=label_map, ct=volume, notices=notices)


def locate(progress: Progress, scanned: Scanned) -> "Spine":
    """Find the anatomy."""
    with progress.stage("find the anatomy"):
        from kyphoplan import anatomy  # noqa: PLC0415

        return anatomy.locate(scanned.labels, scanned.ct)


def measure(
    progress: Progress, scanned: Scanned, spine: "Spine", levels: Sequence[Level] | None
) -> "Measurements":
    """Measure all levels and keep the chosen ones."""
    with progress.stage("measure"):
        from kyphoplan import morphometry  # noqa: PLC0415

        measured = morphometry.measure(spine, scanned.ct)
    told = {(n.code, n.level) for n in measured.notices}
    read = tuple(n for n in scanned.notices if (n.code, n.level) not in told)
    return _only(replace(measured, notices=read + measured.notices), levels)


def _check_levels(path: Path, labels: "LabelMap", levels: Sequence[Level] | None) -> None:
    present = sorted(set(labels.levels.values()))
    absent = [str(level) for level in levels or () if level not in present]
    if absent:
        have = ", ".join(str(level) for level in present)
        raise NotFoundError(f"{path}: holds no {', '.join(absent)}: choose from {have}")


def _only(measured: "Measurements", levels: Sequence[Level] | None) -> "Measurements":
    """Keep the chosen levels; their neighbours served for comparison, so their warnings stay."""
    if levels is None:
        return measured
    spans = (k for k in measured.kyphosis if any(k.upper <= n <= k.lower for n in levels))
    return replace(
        measured,
        vertebrae=tuple(row for row in measured.vertebrae if row.level in levels),
        kyphosis=tuple(spans),
        notices=measured.notices + _left_out(measured, levels),
    )


def _left_out(measured: "Measurements", levels: Sequence[Level]) -> tuple["Notice", ...]:
    """Warn of each fracture that lies outside the chosen levels."""
    from kyphoplan.case import Notice, Severity  # noqa: PLC0415

    return tuple(
        Notice(
            code="fracture_elsewhere",
            severity=Severity.WARNING,
            level=row.level,
            text="is fractured too, but is not among the chosen levels",
            remedy=f"add {row.level} to --levels, or leave --levels out",
        )
        for row in measured.fractures
        if row.level not in levels
    )
