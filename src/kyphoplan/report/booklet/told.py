"""What the booklet is told of one patient; each part but the figures may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kyphoplan.assessment import assess
from kyphoplan.case import Assessment, Level, Measurements, Patient, Plan, Spine
from kyphoplan.io.stamping import STATED


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """All that the booklet is made from.

    Attributes
    ----------
    made_on : the day printed on every page.
    measurements : None if no scan was given.
    spine, plan : without them there are no pictures.
    patient : None if no record was given: then it says what is not known.
    assessment : of this record and these figures; made here if it is not given.
    check_sums : SHA-256 of each input file by what it serves as, as the manifest has them.
    """

    measurements: Measurements | None
    made_on: date
    spine: Spine | None = None
    plan: Plan | None = None
    patient: Patient | None = None
    assessment: Assessment | None = None
    check_sums: Mapping[str, str] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The bones that the booklet is about: those assessed, and those planned."""
        assessed = {level.level for level in self.assessed.levels}
        planned = {level.level for level in self.plan.levels} if self.plan is not None else set()
        return tuple(sorted(assessed | planned))

    @property
    def others(self) -> tuple[Level, ...]:
        """The bones that are broken on the scan, but that nobody asks about."""
        broken = self.measurements.fractures if self.measurements is not None else ()
        return tuple(row.level for row in broken if row.level not in self.levels)

    @property
    def sides_stated(self) -> bool:
        """Whether the user stated left and right, since the scan does not say them."""
        notices = self.measurements.notices if self.measurements is not None else ()
        return any(notice.code == STATED for notice in notices)

    @property
    def assessed(self) -> Assessment:
        """The assessment, made from what is known if it was not given."""
        if self.assessment is not None:
            return self.assessment
        return assess(self.measurements, self.patient)
