"""From a spine to numbers: heights, fractures, kyphosis, density, canal, cortical gaps."""

from kyphoplan.morphometry.measuring import measure

__all__ = ["measure"]
