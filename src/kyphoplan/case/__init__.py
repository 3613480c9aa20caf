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
from kyphoplan.case.spine import Body, Canal, Endplate, Part, Pedicle, Side, Spine, Vertebra
from kyphoplan.case.volume import LabelMap, Volume

__all__ = [
    "Body",
    "Canal",
    "Confidence",
    "CorticalGap",
    "Endplate",
    "GapSite",
    "Genant",
    "Grade",
    "Kyphosis",
    "LabelMap",
    "Level",
    "Measure",
    "Measurements",
    "Notice",
    "Part",
    "Pedicle",
    "Severity",
    "Shape",
    "Side",
    "Spine",
    "Vertebra",
    "VertebraMeasures",
    "Volume",
    "follows",
]
