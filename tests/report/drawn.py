"""Reading a matplotlib figure back: what was drawn where."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from kyphoplan.geometry import Array


def drawn(figure: Figure, gid: str) -> Array | None:
    """Return the data coordinates of the named line."""
    for axes in figure.axes:
        for line in axes.lines:
            if line.get_gid() == gid:
                return np.asarray(line.get_xydata())
    return None


def every_text(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def text_at(axes: Axes, gid: str) -> Array:
    """Return the place of a named text in fractions of the axes, as it is rendered."""
    text = next(t for t in axes.texts if t.get_gid() == gid)
    pixels = text.get_transform().transform(text.get_position())
    return np.asarray(axes.transAxes.inverted().transform(pixels))


def side_words(axes: Axes) -> dict[str, str]:
    """Return which word stands on which side, from where the words really are."""
    found = {}
    for text in axes.texts:
        if not str(text.get_gid()).startswith("side-"):
            continue
        x, y = text_at(axes, str(text.get_gid()))
        if abs(x - 0.5) > abs(y - 0.5):
            found["right" if x > 0.5 else "left"] = text.get_text()
        else:
            found["top" if y > 0.5 else "bottom"] = text.get_text()
    return found
