"""A synthetic CT spine whose every figure is known."""

from kyphoplan.phantom.figures import CobbTruth, LevelTruth, Truth
from kyphoplan.phantom.scan import Scan, scan
from kyphoplan.phantom.shape import Collapse, Phantom
from kyphoplan.phantom.truth import truth

__all__ = ["CobbTruth", "Collapse", "LevelTruth", "Phantom", "Scan", "Truth", "scan", "truth"]
