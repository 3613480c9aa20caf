"""Plan and CT -> how bone, balloon and cement behave."""

from kyphoplan.simulation.elasticity import Loads, Method, Outcome, Solution, solve
from kyphoplan.simulation.simulating import simulate

__all__ = ["Loads", "Method", "Outcome", "Solution", "simulate", "solve"]
