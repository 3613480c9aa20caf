"""The picture of one vertebra from the side: heights, endplate lines, angles, expected outline."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphoplan.case import (
    Body,
    Endplate,
    Kyphosis,
    Level,
    Measurements,
    Spine,
    Vertebra,
    VertebraMeasures,
    Volume,
)
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame
from kyphoplan.report import canvas
from kyphoplan.report.plane import Plane, Window

MARGIN_MM = 12.0  # [mm] shown around what is marked
HALF_ALONE_MM = 40.0  # [mm] at least this much is shown above and below the body's centre
HEIGHT_IN, PANEL_IN = 7.0, 2.9  # [inch] the picture's height, and the width of the words beside it
PICTURE_SHARE = 0.955  # [1] of the height, the rest is the footer's
POINTS = ("anterior", "middle", "posterior")
COLOURS = {"anterior": canvas.SKY, "middle": canvas.YELLOW, "posterior": canvas.ORANGE}
KEY = """Purple: endplates. White: endplate lines.
Dashed green: expected outline of the unbroken body.
Dashed red: lines of the widest Cobb angle.
Seen from the patient's left. Brackets: 95 % interval."""
INK, PAPER = canvas.INK, canvas.PAPER
RIM = [effects.withStroke(linewidth=2.4, foreground=canvas.NIGHT)]

Project = Callable[[Array], Array]


def draw_fracture(
    spine: Spine, measurements: Measurements, level: Level, ct: Volume | None = None
) -> Figure:
    """Draw the mid-sagittal plane of one vertebra with all that is measured on it.

    Raises
    ------
    NotFoundError
        If the vertebra's body was not located.
    """
    vertebra, row = spine[level], measurements[level]
    if vertebra.body is None or vertebra.frame is None:
        raise NotFoundError(f"level {level}: body not located ({vertebra.reason}): no picture")
    plane = mid_sagittal(vertebra.frame)
    around = [v for v in neighbours(spine, level) if v.body is not None]
    window = _window(plane, [v.body for v in around if v.body is not None])

    picture_in = HEIGHT_IN * PICTURE_SHARE * window.width_mm / window.height_mm
    figure = canvas.new_figure(picture_in + PANEL_IN, HEIGHT_IN)
    width = figure.get_figwidth()
    axes = figure.add_axes((0.1 / width, 0.035, picture_in / width, PICTURE_SHARE))
    canvas.show(axes, window, plane.lift, spine, ct)
    for other in around:
        if other is not vertebra and other.body is not None:
            _draw_endplates(axes, plane.project, other.body, faint=True)
    _draw_endplates(axes, plane.project, vertebra.body, faint=False)
    _draw_expected(axes, plane.project, vertebra.frame, vertebra.body, row)
    _draw_heights(axes, plane.project, vertebra.body, row)
    _write_wedge(axes, plane.project, vertebra.body, row)
    spans = kyphosis_around(measurements, level, [v.level for v in around])
    _draw_cobb(axes, plane, spine, spans)
    for other in around:
        _name(axes, plane, other, bold=other is vertebra)
    canvas.write_sides(axes, plane.words(vertebra.frame))
    canvas.write_scale(axes, window)
    _write_panel(figure, (picture_in + 0.3) / width, row, spans)
    return figure


def mid_sagittal(frame: Frame) -> Plane:
    """Return the body's mid-sagittal plane seen from the patient's left: anterior on the left."""
    return Plane.facing(frame.origin_mm, towards=-frame.left, up=frame.superior)


def neighbours(spine: Spine, level: Level) -> tuple[Vertebra, ...]:
    """Return the vertebra with the one above and the one below, where they are in the scan."""
    near = (v for v in spine.vertebrae if spine.steps(level, v.level) in (-1, 0, 1))
    return tuple(near)


def kyphosis_around(
    measurements: Measurements, level: Level, near: Collection[Level]
) -> tuple[Kyphosis, ...]:
    """Return the sagittal angles over a level and its direct neighbours, the widest last."""
    spans = (k for k in measurements.kyphosis if k.upper <= level <= k.lower)
    close = (k for k in spans if k.upper in near and k.lower in near and k.upper is not k.lower)
    return tuple(sorted(close, key=lambda k: (k.lower.rank - k.upper.rank, k.upper)))


def expected_curves(frame: Frame, body: Body, row: VertebraMeasures) -> tuple[Array, Array] | None:
    """Return the endplate curves (superior, inferior) [mm, LPS] of the body before it broke.

    The two curves are moved apart along the body's axis, half of the lost height each, so that
    the three heights become the expected ones; between the three points the loss is interpolated.
    None if an expected height is unknown.
    """
    losses = [_loss(row, point) for point in POINTS]
    if any(loss is None for loss in losses):
        return None
    moved = []
    for plate, sign in ((body.superior, 0.5), (body.inferior, -0.5)):
        depth = [frame.to_local(getattr(plate, f"{point}_mm"))[1] for point in POINTS]
        curve = _to_the_walls(frame, body, frame.to_local(plate.curve_mm))
        curve[:, 2] += sign * np.interp(curve[:, 1], depth, np.array(losses, float))
        moved.append(frame.to_patient(curve))
    return moved[0], moved[1]


def _to_the_walls(frame: Frame, body: Body, curve: Array) -> Array:
    """Lengthen a local endplate curve at both ends, at their own height, to the body's walls."""
    walls = [frame.to_local(w)[:, 1] for w in (body.anterior_wall_mm, body.posterior_wall_mm)]
    front, back = curve[:1].copy(), curve[-1:].copy()
    front[:, 1] = min(float(np.median(walls[0])), float(front[0, 1]))
    back[:, 1] = max(float(np.median(walls[1])), float(back[0, 1]))
    return np.concatenate([front, curve, back])


def _loss(row: VertebraMeasures, point: str) -> float | None:
    now, before = getattr(row, f"{point}_height"), getattr(row, f"expected_{point}_height")
    return None if now.value is None or before.value is None else before.value - now.value


def _window(plane: Plane, bodies: list[Body]) -> Window:
    marked = [plane.project(p.points_mm) for b in bodies for p in (b.superior, b.inferior)]
    alone = np.array([[0.0, -HALF_ALONE_MM], [0.0, HALF_ALONE_MM]])
    close = Window.around(np.concatenate([*marked, alone]), MARGIN_MM)
    # room for the numbers in front, for the canal behind
    return replace(
        close, u_low=close.u_low - 0.6 * MARGIN_MM, u_high=close.u_high + 1.6 * MARGIN_MM
    )


def _draw_endplates(axes: Axes, project: Project, body: Body, *, faint: bool) -> None:
    for plate, name in ((body.superior, "superior"), (body.inferior, "inferior")):
        curve = project(plate.curve_mm)
        alpha, width = (0.55, 1.0) if faint else (1.0, 1.8)
        axes.plot(*curve.T, color=canvas.PURPLE, lw=width, alpha=alpha, gid=f"curve-{name}")
        if not faint:
            ends = project(_stretched(plate, 6.0))
            axes.plot(*ends.T, color=canvas.PAPER, lw=1.0, path_effects=RIM, gid=f"line-{name}")


def _stretched(plate: Endplate, extra_mm: float) -> Array:
    """Return the endplate line, longer at both ends."""
    chord = plate.posterior_mm - plate.anterior_mm
    step = extra_mm * chord / max(float(np.linalg.norm(chord)), 1e-9)
    return np.stack([plate.anterior_mm - step, plate.posterior_mm + step])


def _draw_expected(
    axes: Axes, project: Project, frame: Frame, body: Body, row: VertebraMeasures
) -> None:
    curves = expected_curves(frame, body, row)
    if curves is None:
        return
    top, bottom = (project(curve) for curve in curves)
    ring = np.concatenate([top, bottom[::-1], top[:1]])
    axes.plot(
        *ring.T, color=canvas.GREEN, lw=2.0, ls=(0, (4, 2)), gid="expected", path_effects=RIM
    )


def _draw_heights(axes: Axes, project: Project, body: Body, row: VertebraMeasures) -> None:
    """Draw the six points, the three heights, and each number beside its line."""
    place = {"anterior": (-1.5, "right"), "middle": (0.9, "left"), "posterior": (1.5, "left")}
    for point in POINTS:
        ends = project(
            np.stack([getattr(p, f"{point}_mm") for p in (body.superior, body.inferior)])
        )
        colour = COLOURS[point]
        axes.plot(*ends.T, color=colour, lw=1.4, zorder=6, path_effects=RIM, gid=f"height-{point}")
        axes.plot(
            *ends.T, "o", color=colour, ms=5.5, mec=canvas.NIGHT, mew=0.9, zorder=7,
            gid=f"points-{point}",
        )  # fmt: skip
        measure = getattr(row, f"{point}_height")
        if measure.value is None or measure.low is None or measure.high is None:
            continue
        aside, ha = place[point]
        at = ends.mean(axis=0) + np.array([aside, 0.0])
        text = f"{measure.value:.1f} mm\n{measure.low:.1f}-{measure.high:.1f}"
        canvas.label(axes, at, text, color=colour, ha=ha, gid=f"number-{point}")


def _write_wedge(axes: Axes, project: Project, body: Body, row: VertebraMeasures) -> None:
    """Write the wedge angle before the body, where the endplate lines would meet."""
    if row.wedge_angle.value is None:
        return
    upper, lower = (project(_stretched(p, 6.0))[0] for p in (body.superior, body.inferior))
    text = f"wedge {row.wedge_angle.value:.1f}°"
    at = np.array([min(upper[0], lower[0]) - 1.0, lower[1] - 3.0])
    canvas.label(axes, at, text, color=canvas.SILVER, ha="right", gid="wedge")


def _draw_cobb(axes: Axes, plane: Plane, spine: Spine, spans: Sequence[Kyphosis]) -> None:
    """Draw the two lines of the widest sagittal angle that was measured."""
    measured = [span for span in spans if span.cobb.value is not None]
    if not measured:
        return
    span = measured[-1]
    upper, lower = spine[span.upper].body, spine[span.lower].body
    if upper is None or lower is None:
        return
    for plate in (upper.superior, lower.inferior):
        line = plane.project(_stretched(plate, 9.0))
        axes.plot(*line.T, color=canvas.VERMILION, lw=1.4, ls=(0, (6, 2)), path_effects=RIM)
    end = plane.project(_stretched(upper.superior, 9.0))[1]
    text = f"Cobb {span.upper}-{span.lower}\n{canvas.shown(span.cobb)}"
    canvas.label(
        axes, end + np.array([1.0, -1.5]), text, color=canvas.VERMILION, ha="left", va="top"
    )


def _name(axes: Axes, plane: Plane, vertebra: Vertebra, *, bold: bool) -> None:
    """Write the level's name behind its posterior wall."""
    if vertebra.body is None:
        return
    wall = plane.project(vertebra.body.posterior_wall_mm)
    middle = wall[len(wall) // 2]
    weight = "bold" if bold else "normal"
    below = -9.0 if bold else 0.0
    canvas.label(
        axes, middle + np.array([7.0, below]), str(vertebra.level), fontsize=13, fontweight=weight,
        gid=f"level-{vertebra.level}",
    )  # fmt: skip


def _write_panel(
    figure: Figure, x: float, row: VertebraMeasures, spans: Sequence[Kyphosis]
) -> None:
    """Write the same numbers in full beside the picture."""
    figure.text(x, 0.97, str(row.level), fontsize=26, fontweight="bold", color=INK, va="top")
    figure.text(x, 0.895, _grade(row), fontsize=10.5, color=INK, va="top", linespacing=1.3)
    lines = [(f"{p.capitalize()} height", _height(row, p), COLOURS[p]) for p in POINTS]
    lines.append(("Height loss", canvas.shown(row.height_loss, 0), canvas.GREEN))
    lines.append(("Wedge angle", canvas.shown(row.wedge_angle), canvas.SILVER))
    for span in spans:
        title = f"Cobb {span.upper}-{span.lower}"
        lines.append((title, canvas.shown(span.cobb), canvas.VERMILION))
    lines.append(("Retropulsion", canvas.shown(row.retropulsion), PAPER))
    y = 0.815
    for title, value, colour in lines:
        figure.text(x, y, "■", fontsize=7, color=colour, va="top")
        at = x + 0.17 / figure.get_figwidth()
        figure.text(at, y, title, fontsize=7.5, color=canvas.GREY, va="top")
        figure.text(
            at, y - 0.022, value, fontsize=9, color=INK, va="top", linespacing=1.3,
            parse_math=False,
        )  # fmt: skip
        y -= 0.064 + 0.026 * value.count("\n")
    figure.text(x, 0.045, KEY, fontsize=6.5, color=canvas.GREY, va="bottom", linespacing=1.4)


def _grade(row: VertebraMeasures) -> str:
    if row.genant.grade is None:
        return "Genant grade: not measured"
    text = f"Genant grade {int(row.genant.grade)}"
    if row.fractured:
        text += f", {row.genant.shape}"
    if len(row.genant.possible) > 1:
        text += f"\npossible: {' or '.join(str(int(g)) for g in row.genant.possible)}"
    return text


def _height(row: VertebraMeasures, point: str) -> str:
    now, before = getattr(row, f"{point}_height"), getattr(row, f"expected_{point}_height")
    return f"{canvas.shown(now)}\nexpected {canvas.shown(before)}"
