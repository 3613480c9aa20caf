"""Spine and fracture to plan: how to reach a body safely, and a judge of anyone's own way."""

from kyphoplan.planning.breach import AimingError
from kyphoplan.planning.cannulas import CANNULAS, Cannula
from kyphoplan.planning.checking import check
from kyphoplan.planning.levels import plan

__all__ = ["CANNULAS", "AimingError", "Cannula", "check", "plan"]
