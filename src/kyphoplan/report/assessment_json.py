"""The assessment as strict JSON: the contract ``kyphoplan.assessment/1``."""

from typing import Any

from kyphoplan import __version__
from kyphoplan.case import Assessment
from kyphoplan.io.casefile import to_json
from kyphoplan.report.wording import INTENDED_USE

SCHEMA = "kyphoplan.assessment/1"


def assessment_to_json(assessment: Assessment) -> dict[str, Any]:
    """Return the assessment as a tree of plain values that JSON holds without loss.

    Its keys are the attributes of `Assessment` and its parts, under ``overall`` those that are
    said of the whole: verdict, what it would be at worst, and the rules that decided it.
    """
    data = to_json(assessment)
    overall = ("verdict", "at_worst", "text", "decided_by", "decompression", "decompression_rules")

    return {
        "schema": SCHEMA,
        "intended_use": INTENDED_USE,
        "made_by": f"kyphoplan {__version__}",
        "overall": {name: data[name] for name in overall},
        **{name: value for name, value in data.items() if name not in overall},
        "missing": list(assessment.missing),
    }
