"""What the booklet is told of one patient; each part but the figures may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kyphoplan.case import Assessment, Level, Measurements, Patient, Plan, Spine


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """All that the booklet is made from.

    Attributes
    ----------
    made_on : the day printed on every page.
    spine, plan : without them there are no pictures.
    patient, assessment : without them it says what is not known.
    check_sums : SHA-256 of each input file by what it serves as, as the manifest has them.
    """

    measurements: Measurements
    made_on: date
    spine: Spine | None = None
    plan: Plan | None = None
    patient: Patient | None = None
    assessment: Assessment | None = None
    check_sums: Mapping[str, str] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The bones that the booklet is about: those assessed, else planned, else fractured."""
        if self.assessment is not None and self.assessment.levels:
            return tuple(level.level for level in self.assessment.levels)
        if self.plan is not None and self.plan.levels:
            return tuple(level.level for level in self.plan.levels)
        return tuple(row.level for row in self.measurements.fractures)
