"""A synthetic CT spine whose every figure is known."""

from kyphoplan.phantom.figures import CobbTruth, LevelTruth, Truth
from kyphoplan.phantom.known import truth
from kyphoplan.phantom.scanner import Scan, scan
from kyphoplan.phantom.shape import Collapse, Phantom

__all__ = ["CobbTruth", "Collapse", "LevelTruth", "Phantom", "Scan", "Truth", "scan", "truth"]
