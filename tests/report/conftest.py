"""A spine of three hand-built vertebrae, T12 to L2, with a wedge fracture of L1."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from kyphoplan.case import (
    Body,
    Canal,
    Endplate,
    Genant,
    Grade,
    Kyphosis,
    Level,
    Measure,
    Measurements,
    Notice,
    Part,
    Pedicle,
    Severity,
    Shape,
    Side,
    Spine,
    Vertebra,
    VertebraMeasures,
    Volume,
)
from kyphoplan.geometry import Array, Frame, rotation
from kyphoplan.report.wording import FIGURES

from .browsing import QUIET, WEBGL

DEPTH, WIDTH, HEIGHT = 32.0, 42.0, 26.0  # [mm]
PITCH = 34.0  # [mm] from one body's centre to the next
LOST = {Level.L1: (10.0, 6.0, 2.0)}  # [mm] anterior, middle, posterior


@dataclass(frozen=True)
class Case:
    spine: Spine
    measurements: Measurements
    ct: Volume


def known(value: float, unit: str) -> Measure:
    return Measure.of(value, 0.02 * abs(value) + 0.1, unit, "made up for the test")


def build(
    turn: Array | None = None, shift: tuple[float, float, float] = (5.0, -120.0, 40.0)
) -> Case:
    """Build the case, turned by a rotation about the body of L1 and moved in the patient."""
    turn = np.eye(3) if turn is None else turn
    levels = (Level.T12, Level.L1, Level.L2)
    vertebrae = tuple(
        _vertebra(level, np.array(shift) + turn @ [0.0, 0.0, PITCH * (1 - i)], turn)
        for i, level in enumerate(levels)
    )
    spine = Spine(
        vertebrae=vertebrae, scheme="verse", basis="stated by user", spacing_mm=np.ones(3)
    )
    rows = tuple(_measures(level) for level in levels)
    spans = ((Level.T12, Level.L1), (Level.L1, Level.L2), (Level.T12, Level.L2))
    kyphosis = tuple(
        Kyphosis(upper=a, lower=b, cobb=known(9.0 + i, "deg")) for i, (a, b) in enumerate(spans)
    )
    measurements = Measurements(
        label_scheme="verse",
        label_basis="stated by user",
        vertebrae=rows,
        kyphosis=kyphosis,
        notices=(notice(),),
    )
    return Case(spine=spine, measurements=measurements, ct=_ct(np.array(shift), turn))


def notice(severity: Severity = Severity.WARNING) -> Notice:
    return Notice(
        code="thick_slices",
        severity=severity,
        level=None,
        text="slices are 3 mm thick",
        remedy="use the thin reconstruction",
    )


def _vertebra(level: Level, origin: Array, turn: Array) -> Vertebra:
    frame = Frame(origin_mm=origin, axes=turn.T.copy())
    canal_at = frame.to_patient([0.0, DEPTH / 2 + 9.0, 0.0])
    circle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.stack([11 * np.cos(circle), 8 * np.sin(circle), 0 * circle], axis=1)
    return Vertebra(
        level=level,
        frame=frame,
        parts=_parts(level, frame),
        surface=None,
        body=_body(level, frame),
        canal=Canal(
            centre_mm=canal_at,
            axis=frame.superior,
            outline_mm=canal_at + ring @ frame.axes,
            line_mm=canal_at + np.linspace(-10, 10, 5)[:, None] * frame.superior,
            area=known(np.pi * 88, "mm2"),
        ),
        left_pedicle=_pedicle(frame, Side.LEFT),
        right_pedicle=_pedicle(frame, Side.RIGHT),
        cropped=False,
        reason="",
    )


def top_of(level: Level, posterior: Array) -> Array:
    """Height of the superior endplate above the body's centre."""
    t = np.asarray(posterior) / DEPTH + 0.5
    return HEIGHT / 2 - np.interp(t, (0.15, 0.5, 0.85), LOST.get(level, (0.0, 0.0, 0.0)))


def _plate(level: Level, frame: Frame, *, upper: bool) -> Endplate:
    def surface(left: Array, posterior: Array) -> Array:
        height = top_of(level, posterior) if upper else np.full(posterior.shape, -HEIGHT / 2)
        return frame.to_patient(np.stack([left, posterior, height], axis=-1))

    depth = np.linspace(-0.45, 0.45, 31) * DEPTH
    left, back = np.meshgrid(np.linspace(-15, 15, 11), depth)
    points = surface(np.zeros(3), (np.array([0.15, 0.5, 0.85]) - 0.5) * DEPTH)
    return Endplate(
        points_mm=surface(left.ravel(), back.ravel()),
        normal=frame.superior * (1 if upper else -1),
        anterior_mm=points[0],
        middle_mm=points[1],
        posterior_mm=points[2],
        curve_mm=surface(np.zeros(31), depth),
        sd_mm=np.full(3, 0.2),
        rise_sd_mm=0.2,
        refined_fraction=1.0,
    )


def _body(level: Level, frame: Frame) -> Body:
    rise = np.linspace(-HEIGHT / 2, HEIGHT / 2, 9)
    walls = [
        frame.to_patient(np.stack([0 * rise, 0 * rise + y, rise], axis=-1))
        for y in (-DEPTH / 2, DEPTH / 2)
    ]
    return Body(
        superior=_plate(level, frame, upper=True),
        inferior=_plate(level, frame, upper=False),
        anterior_wall_mm=walls[0],
        posterior_wall_mm=walls[1],
        depth_mm=DEPTH,
        width_mm=WIDTH,
        volume=known(27.0, "ml"),
    )


def _pedicle(frame: Frame, side: Side) -> Pedicle:
    sign = 1.0 if side is Side.LEFT else -1.0
    centre = frame.to_patient([sign * 14.0, DEPTH / 2 + 6.0, 5.0])
    turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    ring = np.stack([4 * np.cos(turn), 0 * turn, 7 * np.sin(turn)], axis=1)
    return Pedicle(
        side=side,
        isthmus_mm=centre,
        axis=-frame.posterior,
        outline_mm=centre + ring @ frame.axes,
        width=known(8.0, "mm"),
        height=known(14.0, "mm"),
    )


def in_body(level: Level, local: Array) -> Array:
    left, back, up = np.moveaxis(local, -1, 0)
    inside = (2 * left / WIDTH) ** 2 + (2 * back / DEPTH) ** 2 < 1
    return inside & (up > -HEIGHT / 2) & (up < top_of(level, back))


def in_arch(local: Array) -> Array:
    left, back, up = np.moveaxis(local, -1, 0)
    root = DEPTH / 2
    pedicle = (((np.abs(left) - 14) / 4) ** 2 + ((up - 5) / 7) ** 2 < 1) & (back > root - 6)
    pedicle &= back < root + 14
    lamina = (np.abs(left) < 18) & (np.abs(up) < 9) & (back > root + 18) & (back < root + 24)
    spinous = (np.abs(left) < 3) & (np.abs(up + 4) < 8) & (back > root + 18) & (back < root + 48)
    return pedicle | lamina | spinous


def _parts(level: Level, frame: Frame) -> Volume:
    axis = np.arange(-30.0, 70.0)
    local = np.stack(np.meshgrid(axis, axis, np.arange(-20.0, 20.0), indexing="ij"), axis=-1)
    parts = np.where(in_body(level, local), Part.BODY, Part.OUTSIDE)
    parts = np.where((parts == 0) & in_arch(local), Part.ARCH, parts).astype(np.uint8)
    affine = np.eye(4)
    affine[:3, :3] = frame.axes.T
    affine[:3, 3] = frame.to_patient(local[0, 0, 0])
    return Volume(parts, affine)


def _ct(origin: Array, turn: Array) -> Volume:
    sides = [np.arange(-45.0, 45.0), np.arange(-45.0, 70.0), np.arange(-65.0, 65.0)]
    local = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
    hu = np.full(local.shape[:-1], 40.0)
    for i, level in enumerate((Level.T12, Level.L1, Level.L2)):
        centred = local - np.array([0.0, 0.0, PITCH * (1 - i)])
        hu = np.where(in_arch(centred), 500.0, hu)
        hu = np.where(in_body(level, centred), 250.0, hu)
    hu += np.random.default_rng(0).normal(0, 25, hu.shape)
    affine = np.eye(4)
    affine[:3, :3] = turn
    affine[:3, 3] = turn @ local[0, 0, 0] + origin
    return Volume(hu.astype(np.int16), affine)


def _measures(level: Level) -> VertebraMeasures:
    lost = LOST.get(level, (0.0, 0.0, 0.0))
    values = {figure.field: known(5.0, figure.unit) for figure in FIGURES}
    for point, loss in zip(("anterior", "middle", "posterior"), lost, strict=True):
        values[f"{point}_height"] = known(HEIGHT - loss, "mm")
        values[f"expected_{point}_height"] = known(HEIGHT, "mm")
    values["height_loss"] = known(100 * lost[0] / HEIGHT, "%")
    values["density_mg_per_cm3"] = Measure.unknown("mg/cm3", "scan not calibrated")
    broken = level in LOST
    grade = Grade.MODERATE if broken else Grade.NORMAL
    possible = (Grade.MODERATE, Grade.SEVERE) if broken else (grade,)
    return VertebraMeasures(
        level=level,
        reference_basis="T12 and L2",
        genant=Genant(
            grade=grade,
            shape=Shape.WEDGE if broken else Shape.NONE,
            possible=possible,
            reason="largest loss",
        ),
        cortical_gaps=(),
        cortical_gaps_reason="none found",
        **values,
    )


def without_figures(row: VertebraMeasures, reason: str) -> VertebraMeasures:
    """Return the row as it is for a vertebra that could not be measured."""
    none = {figure.field: Measure.unknown(figure.unit, reason) for figure in FIGURES}
    genant = Genant(grade=None, shape=Shape.UNKNOWN, possible=(), reason=reason)
    return replace(row, genant=genant, **none)


@pytest.fixture(scope="session")
def case() -> Case:
    return build()


@pytest.fixture(scope="session")
def turned() -> Case:
    """The same spine lying obliquely in the scanner."""
    return build(rotation([1.0, 2.0, -1.0], 25.0), shift=(80.0, 10.0, -300.0))


@pytest.fixture(scope="session")
def rebuild() -> Callable[..., Case]:
    return build


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's chromium; installed where that is allowed."""
    found = shutil.which("chromium")
    apt = shutil.which("apt-get")
    if found is None and apt is not None and os.geteuid() == 0:
        for order in ("update", "install -y --no-install-recommends chromium"):
            subprocess.run([apt, *order.split()], check=False, capture_output=True)
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium, and it cannot be installed: the page was not opened")
    return found


@pytest.fixture(scope="module")
def launch(chromium: str) -> Iterator[Callable[..., Browser]]:
    with sync_playwright() as playwright:
        yield partial(playwright.chromium.launch, executable_path=chromium)


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    opened = launch(args=[*WEBGL, *QUIET])
    yield opened
    opened.close()
