"""The rehearsal as pictures and files: the pressure curve, slices over time, the map of leaks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan.case import Measure, Side
from kyphoplan.case.rehearsal import LevelRehearsal, Rehearsal, Slices
from kyphoplan.geometry import Array
from kyphoplan.io.mesh import write_stl
from kyphoplan.io.output import write_json
from kyphoplan.report.canvas import BLUE, GREY, VERMILION, new_figure, write_sides
from kyphoplan.report.page import Picture
from kyphoplan.report.rehearsal_json import rehearsal_to_json
from kyphoplan.report.result import png_of

DENSEST = 400.0  # [mg/cm3] end of the grey scale
SHOWN = 0.05  # [1] of a voxel: less balloon or cement is not drawn
SIDES = {Side.LEFT: BLUE, Side.RIGHT: VERMILION}
UP = {"top": "Superior", "bottom": "Inferior"}
ACROSS = {"left": "R Right", "right": "L Left"}
PLANES = (
    ("sagittal", {"left": "Anterior", "right": "Posterior"} | UP),
    ("coronal", ACROSS | UP),
    ("axial", ACROSS | {"top": "Anterior", "bottom": "Posterior"}),
)
BALLOON, CEMENT = (0.95, 0.55, 0.10), (0.90, 0.25, 0.55)  # [1] red, green, blue


def write_rehearsal(folder: Path, rehearsal: Rehearsal) -> tuple[Picture, ...]:
    """Write ``rehearsal.json``, the pictures and the surfaces of voids and cement."""
    write_json(folder / "rehearsal.json", rehearsal_to_json(rehearsal))
    pictures = tuple(picture for level in rehearsal.levels for picture in draw_level(level))
    for name in ("figures", "meshes"):
        (folder / name).mkdir(exist_ok=True)
    for picture in pictures:
        (folder / "figures" / f"{picture.name}.png").write_bytes(picture.png)
    for level in rehearsal.levels:
        for mesh in (*level.void, *level.cloud):
            write_stl(folder / "meshes" / f"{mesh.name.replace(' ', '_')}.stl", mesh)
    return pictures


def draw_level(level: LevelRehearsal) -> Iterator[Picture]:
    """Draw the pictures of one level; nothing if it was not rehearsed."""
    name = str(level.level)
    if level.moments:
        yield Picture(
            name=f"{name}-rehearsal-pressure",
            level=name,
            caption="Pressure in each balloon while it is filled, and the height regained",
            png=png_of(draw_curve(level)),
        )
    for number, shot in enumerate(level.slices):
        yield Picture(
            name=f"{name}-rehearsal-{number:02d}",
            level=name,
            caption=shot.title,
            png=png_of(draw_slices(name, shot)),
        )
    if any(measure.value is not None for measure in level.leaks.values()):
        yield Picture(
            name=f"{name}-rehearsal-leaks",
            level=name,
            caption="How likely cement is where it does not belong, as a later CT would show it",
            png=png_of(draw_leaks(level)),
        )


def draw_curve(level: LevelRehearsal) -> Figure:
    """Draw pressure and middle height against volume."""
    figure = new_figure(7.2, 3.2)
    left, right = (
        figure.add_axes((0.09, 0.18, 0.38, 0.70)),
        figure.add_axes((0.58, 0.18, 0.38, 0.70)),
    )
    for side in level.moments[0].volume_ml:
        volumes = [moment.volume_ml[side] for moment in level.moments]
        pressures = [moment.pressure_bar[side] for moment in level.moments]
        left.plot(volumes, pressures, "o-", ms=3, color=SIDES[side], label=str(side))
    left.set(xlabel="volume of the balloon [ml]", ylabel="pressure [bar]", ylim=(0, None))
    left.legend(frameon=False, fontsize=8)
    left.set_title(f"{level.level}: pressure", fontsize=9)
    whole = [sum(moment.volume_ml.values()) for moment in level.moments]
    for key, colour, word in (
        ("anterior_mm", BLUE, "anterior"),
        ("middle_mm", VERMILION, "middle"),
        ("posterior_mm", GREY, "posterior"),
        ("largest_lift_mm", "black", "largest lift of the endplate"),
    ):
        gains = [getattr(moment.figures, key) for moment in level.moments]
        right.plot(whole, gains, "o-", ms=3, color=colour, label=word)
    right.set(xlabel="both balloons [ml]", ylabel="gain of height [mm]")
    right.legend(frameon=False, fontsize=7)
    right.set_title(f"{level.level}: height regained", fontsize=9)
    return figure


def draw_slices(name: str, shot: Slices) -> Figure:
    """Draw three slices of bone, balloon (orange) and cement (pink)."""
    figure = new_figure(7.2, 3.0)
    for column, plane in enumerate(PLANES):
        axes = figure.add_axes((0.02 + 0.33 * column, 0.08, 0.30, 0.76))
        _draw_slice(axes, shot, column)
        title, words = plane
        axes.set_title(f"{name} {title}", fontsize=8)
        write_sides(axes, words)
    figure.text(0.02, 0.97, shot.title, fontsize=9, va="top")
    for place, colour, word in ((0.72, BALLOON, "balloon or void"), (0.90, CEMENT, "cement")):
        figure.text(place, 0.97, f"■ {word}", fontsize=8, va="top", ha="center", color=colour)
    return figure


def _draw_slice(axes: Axes, shot: Slices, column: int) -> None:
    grey = np.clip(np.asarray(shot.density[column], float) / DENSEST, 0.0, 1.0)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    for share, colour in (
        (shot.balloon[column], BALLOON),
        (shot.cement[column], CEMENT),
    ):
        part = np.where(share > SHOWN, share, 0.0)[..., None]
        picture = (1.0 - 0.8 * part) * picture + 0.8 * part * np.array(colour)
    shown: Array = picture.transpose(1, 0, 2)
    # sagittal and coronal: superior on top; axial: anterior on top, seen from the feet mirrored so
    # that the patient's right is on the picture's left in all
    up = shown if column < 2 else shown[::-1]  # noqa: PLR2004
    axes.imshow(up, origin="lower", aspect="equal", interpolation="nearest")
    axes.set(xticks=[], yticks=[])


def draw_leaks(level: LevelRehearsal) -> Figure:
    """Draw the probability of each leak with its interval, or that it cannot be told."""
    figure = new_figure(6.4, 3.0)
    axes = figure.add_axes((0.32, 0.22, 0.64, 0.66))
    names = list(level.leaks)
    for row, name in enumerate(names):
        _draw_leak(axes, row, level.leaks[name])
    axes.set(yticks=range(len(names)), xlim=(-2, 102), ylim=(len(names) - 0.5, -0.5))
    axes.set_xlabel("probability that CT shows cement there afterwards [%]", fontsize=8)
    axes.set_yticklabels(names, fontsize=8)
    axes.set_title(f"{level.level}: cement outside the bone, {level.draws} draws", fontsize=9)
    return figure


def _draw_leak(axes: Axes, row: int, measure: Measure) -> None:
    if measure.value is None or measure.low is None or measure.high is None:
        axes.text(50.0, row, "cannot tell", ha="center", va="center", fontsize=8, color=GREY)
        return
    axes.plot([100.0 * measure.low, 100.0 * measure.high], [row, row], "-", color=GREY, lw=4)
    axes.plot(100.0 * measure.value, row, "o", color=VERMILION)


def steps(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """Pick the slices over time, in order."""
    return tuple(p for p in pictures if p.name.rsplit("-", 1)[-1].isdigit())
