"""The nouns: what is known of one patient. Immutable; they know neither files nor pictures."""

from kyphoplan.case.findings import (
    CorticalGap,
    GapSite,
    Genant,
    Grade,
    Kyphosis,
    Measurements,
    Notice,
    Severity,
    Shape,
    VertebraMeasures,
)
from kyphoplan.case.level import Level, follows
from kyphoplan.case.measure import Confidence, Measure
from kyphoplan.case.moving import moved
from kyphoplan.case.plan import (
    Approach,
    Clearance,
    Fill,
    GertzbeinRobbins,
    Inflation,
    LevelPlan,
    Plan,
    Trajectory,
)
from kyphoplan.case.rehearsal import LevelRehearsal, Rehearsal, Rehearsed
from kyphoplan.case.spine import Body, Canal, Endplate, Part, Pedicle, Side, Spine, Vertebra
from kyphoplan.case.volume import LabelMap, Volume

__all__ = [
    "Approach",
    "Body",
    "Canal",
    "Clearance",
    "Confidence",
    "CorticalGap",
    "Endplate",
    "Fill",
    "GapSite",
    "Genant",
    "GertzbeinRobbins",
    "Grade",
    "Inflation",
    "Kyphosis",
    "LabelMap",
    "Level",
    "LevelPlan",
    "LevelRehearsal",
    "Measure",
    "Measurements",
    "Notice",
    "Part",
    "Pedicle",
    "Plan",
    "Rehearsal",
    "Rehearsed",
    "Severity",
    "Shape",
    "Side",
    "Spine",
    "Trajectory",
    "Vertebra",
    "VertebraMeasures",
    "Volume",
    "follows",
    "moved",
]
