"""Balloons in crushing bone: their skins, the bone as points, one increment in balance."""
