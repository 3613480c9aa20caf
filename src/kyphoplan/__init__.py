"""kyphoplan: from a spine CT to a measured fracture and a plan. Research and teaching use only.

The public names are loaded when first used, so that ``import kyphoplan`` stays light (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kyphoplan.anatomy import locate
    from kyphoplan.assessment import assess
    from kyphoplan.case import (
        Assessment,
        Level,
        Measure,
        Measurements,
        Patient,
        Plan,
        Rehearsal,
        Spine,
    )
    from kyphoplan.io import read_labels, read_patient, read_volume
    from kyphoplan.morphometry import measure
    from kyphoplan.phantom import Collapse, Phantom, scan
    from kyphoplan.planning import check, plan
    from kyphoplan.report import read_plan, write_measurements, write_plan
    from kyphoplan.simulation import simulate

__version__ = "0.1.0"

__all__ = [
    "Assessment",
    "Collapse",
    "Level",
    "Measure",
    "Measurements",
    "Patient",
    "Phantom",
    "Plan",
    "Rehearsal",
    "Spine",
    "assess",
    "check",
    "locate",
    "measure",
    "plan",
    "read_labels",
    "read_patient",
    "read_plan",
    "read_volume",
    "scan",
    "simulate",
    "write_measurements",
    "write_plan",
]

_HOME = {
    "Assessment": "kyphoplan.case",
    "Collapse": "kyphoplan.phantom",
    "Level": "kyphoplan.case",
    "Measure": "kyphoplan.case",
    "Measurements": "kyphoplan.case",
    "Patient": "kyphoplan.case",
    "Phantom": "kyphoplan.phantom",
    "Plan": "kyphoplan.case",
    "Rehearsal": "kyphoplan.case",
    "Spine": "kyphoplan.case",
    "assess": "kyphoplan.assessment",
    "check": "kyphoplan.planning",
    "locate": "kyphoplan.anatomy",
    "measure": "kyphoplan.morphometry",
    "plan": "kyphoplan.planning",
    "read_labels": "kyphoplan.io",
    "read_patient": "kyphoplan.io",
    "read_plan": "kyphoplan.report",
    "read_volume": "kyphoplan.io",
    "scan": "kyphoplan.phantom",
    "simulate": "kyphoplan.simulation",
    "write_measurements": "kyphoplan.report",
    "write_plan": "kyphoplan.report",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
