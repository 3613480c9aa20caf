"""What all pictures share: background, sides in words, scale bar, footer, colours."""

from collections.abc import Iterable
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan import __version__
from kyphoplan.case import Measure, Part, Spine, Volume
from kyphoplan.geometry import Array
from kyphoplan.report.plane import Lift, Window, sample
from kyphoplan.report.wording import SHORT_INTENDED_USE, decimal, unit_sign

# Okabe and Ito, Color Universal Design (2008): told apart with any colour vision.
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
INK, PAPER, NIGHT = "#1c2733", "#ffffff", "#0b0e12"
GREY, SILVER = "#5b6b7a", "#c9d1d9"

BONE_WINDOW_HU = (-200.0, 1000.0)  # [HU] level 400, width 1200: bone detail with soft tissue
PART_GREY = {Part.BODY: 0.45, Part.ARCH: 0.32, Part.OSTEOPHYTE: 0.2}  # [1] grey without a CT
PIXEL_MM = 0.25  # [mm] finer than any voxel drawn
SCALE_BARS_MM = (5, 10, 20, 50, 100)  # [mm]
FONT = 8.0  # [pt] numbers on pictures


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure with the research-use line at its foot; no global state."""
    figure = Figure(figsize=(width_in, height_in), dpi=150, facecolor=PAPER)
    figure.text(
        0.5,
        0.008,
        f"kyphoplan {__version__} · {SHORT_INTENDED_USE}",
        ha="center",
        va="bottom",
        fontsize=6.5,
        color=GREY,
    )
    return figure


def show(axes: Axes, window: Window, lift: Lift, spine: Spine, ct: Volume | None) -> None:
    """Fill the axes with the CT in a bone window, or with the vertebrae in grey without a CT."""
    u, v = window.grid(PIXEL_MM)
    positions = lift(u, v)
    if ct is not None:
        low, high = BONE_WINDOW_HU
        grey = np.clip((sample(ct, positions) - low) / (high - low), 0.0, 1.0)
    else:
        grey = _grey_parts(spine, positions)
    axes.imshow(
        np.where(np.isnan(grey), 0.0, grey),
        extent=window.extent,
        origin="lower",
        cmap="gray",
        vmin=0.0,
        vmax=1.0,
        interpolation="bilinear" if ct is not None else "nearest",
    )
    axes.set(xlim=window.extent[:2], ylim=window.extent[2:], aspect="equal", facecolor=NIGHT)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine_line in axes.spines.values():
        spine_line.set_visible(False)


def _grey_parts(spine: Spine, positions: Array) -> Array:
    grey = np.zeros(positions.shape[:-1])
    for vertebra in spine.vertebrae:
        if vertebra.parts is None:
            continue
        found = sample(vertebra.parts, positions, order=0)
        for part, shade in PART_GREY.items():
            grey[found == part] = shade
    return grey


def write_sides(axes: Axes, words: dict[str, str]) -> None:
    """Write the four sides of the picture in words of the patient's own body."""
    places = {
        "left": (0.015, 0.5, "left", "center", 90),
        "right": (0.985, 0.5, "right", "center", 270),
        "top": (0.5, 0.985, "center", "top", 0),
        "bottom": (0.5, 0.015, "center", "bottom", 0),
    }
    for side, (x, y, ha, va, turn) in places.items():
        label(
            axes, (x, y), words[side], ha=ha, va=va, rotation=turn, transform=axes.transAxes,
            fontsize=FONT + 1, fontweight="bold", gid=f"side-{side}",
        )  # fmt: skip


def write_scale(axes: Axes, window: Window) -> None:
    """Draw a scale bar of a round length, about a fifth of the picture wide, bottom left."""
    wanted = window.width_mm / 5.0
    length = min(SCALE_BARS_MM, key=lambda mm: abs(mm - wanted))
    u, v = window.u_low + 0.05 * window.width_mm, window.v_low + 0.035 * window.height_mm
    axes.plot([u, u + length], [v, v], color=PAPER, lw=2.5, solid_capstyle="butt", gid="scale-bar")
    label(axes, (u + length / 2.0, v + 0.008 * window.height_mm), f"{length} mm", va="bottom")


def label(axes: Axes, at: Iterable[float], text: str, **style: Any) -> None:
    """Write plain text with a dark rim, readable on bone and on air; never read as mathematics."""
    u, v = at
    settings: dict[str, Any] = {
        "color": PAPER, "fontsize": FONT, "ha": "center", "va": "center", "parse_math": False,
        "path_effects": [effects.withStroke(linewidth=1.7, foreground=NIGHT)], "zorder": 10,
    }  # fmt: skip
    axes.text(u, v, text, **(settings | style))


def shown(measure: Measure, digits: int = 1) -> str:
    """Return a figure for people: value, unit and 95 % interval, or a dash.

    Examples
    --------
    >>> from kyphoplan.case import Measure
    >>> shown(Measure.of(18.24, 0.3, "mm", "voxel size"))
    '18.2 mm (17.7 to 18.8)'
    >>> shown(Measure.unknown("mm", "cropped"))
    'not measured'
    """
    if measure.value is None or measure.low is None or measure.high is None:
        return "not measured"
    value, low, high = (decimal(x, digits) for x in (measure.value, measure.low, measure.high))
    return f"{value}{unit_sign(measure.unit)} ({low} to {high})"
