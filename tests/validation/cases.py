"""Phantom cases, and every figure that was measured on them beside its truth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Measure, Measurements, VertebraMeasures
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Collapse, LevelTruth, Phantom, Scan, scan

T12, L1, L2 = Level.T12, Level.L1, Level.L2
THREE = (T12, L1, L2)

# [1] how far the levels of one person lie off a straight line; what the intervals of height loss
# and canal compromise are made for, and a phantom whose levels follow the norm lacks
# (the canal's is of its area, so half of it of width and depth)
HEIGHT_SCATTER, CANAL_SCATTER = 0.03, 0.035
# [mm] standard deviation of a CT's point spread, from bone to soft tissue kernels: 0.7-1.4 mm FWHM
BLUR_MM = (0.3, 0.6)
TEXTURE_HU = 25.0  # [HU] of spongy bone about its mean; 22 and 25 in two real CTs, noise taken off

Pairs = list[tuple[float, Measure]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A phantom and how it is scanned; equal cases share one scan."""

    name: str
    phantom: Phantom
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tilt_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: str = "LPS"
    gantry_tilt_deg: float = 0.0
    noise_hu: float = 15.0
    texture_hu: float = TEXTURE_HU
    blur_mm: float = 0.4
    seed: int = 0

    def __str__(self) -> str:
        return self.name

    @property
    def fine(self) -> bool:
        """Say whether no voxel is longer than 1 mm."""
        return max(self.spacing_mm) <= 1.0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One measured figure beside its truth."""

    case: Case
    with_ct: bool
    where: str
    figure: str
    truth: float
    measured: Measure = field(repr=False)

    @property
    def error(self) -> float:
        """Measured less true value; NaN without value."""
        return np.nan if self.measured.value is None else self.measured.value - self.truth

    @property
    def covered(self) -> bool:
        """Say whether the stated interval holds the truth."""
        assert self.measured.low is not None
        assert self.measured.high is not None
        return self.measured.low - 1e-9 <= self.truth <= self.measured.high + 1e-9

    def __str__(self) -> str:
        how = "CT" if self.with_ct else "labels"
        m = self.measured
        shown = m.reason if m.value is None else f"{m.value:.2f} [{m.low:.2f}, {m.high:.2f}]"
        return (
            f"{self.case.name} ({how}) {self.where} {self.figure}: {shown}, true {self.truth:.2f}"
        )


STATIONS = ("anterior", "middle", "posterior")


def _heights(row: VertebraMeasures, true: LevelTruth) -> Pairs:
    got = (row.anterior_height, row.middle_height, row.posterior_height)
    return list(zip(true.heights_mm, got, strict=True))


def _widths(row: VertebraMeasures, true: LevelTruth) -> Pairs:
    return [
        (true.left_pedicle_width_mm, row.left_pedicle_width),
        (true.right_pedicle_width_mm, row.right_pedicle_width),
    ]


def _pedicle_heights(row: VertebraMeasures, true: LevelTruth) -> Pairs:
    return [
        (true.left_pedicle_height_mm, row.left_pedicle_height),
        (true.right_pedicle_height_mm, row.right_pedicle_height),
    ]


FIGURES: dict[str, Callable[[VertebraMeasures, LevelTruth], Pairs]] = {
    "height": _heights,
    "height loss": lambda row, true: [(true.height_loss_pct, row.height_loss)],
    "wedge angle": lambda row, true: [(true.wedge_angle_deg, row.wedge_angle)],
    "body volume": lambda row, true: [(true.body_volume_ml, row.body_volume)],
    "pedicle width": _widths,
    "pedicle height": _pedicle_heights,
    "canal area": lambda row, true: [(true.canal_area_mm2, row.canal_area)],
    "canal compromise": lambda row, true: [(true.canal_compromise_pct, row.canal_compromise)],
    "retropulsion": lambda row, true: [(true.retropulsion_mm, row.retropulsion)],
    "density": lambda row, true: [(true.trabecular_hu, row.density_hu)],
}


@cache
def scanned(case: Case) -> Scan:
    """Scan a case, once."""
    return scan(
        replace(case.phantom, texture_hu=case.texture_hu),
        spacing_mm=case.spacing_mm,
        tilt_deg=case.tilt_deg,
        orientation=case.orientation,
        gantry_tilt_deg=case.gantry_tilt_deg,
        noise_hu=case.noise_hu,
        blur_mm=case.blur_mm,
        rng=np.random.default_rng(case.seed),
    )


@cache
def measured(case: Case, *, with_ct: bool) -> Measurements:
    """Measure a case, once."""
    image = scanned(case)
    ct = image.ct if with_ct else None
    return measure(locate(image.labels, ct), ct)


def readings(case: Case, *, with_ct: bool) -> Iterator[Reading]:
    """Every figure of a case beside its truth."""
    truth, figures = scanned(case).truth, measured(case, with_ct=with_ct)
    common: dict[str, Any] = {"case": case, "with_ct": with_ct}
    for row in figures.vertebrae:
        for name, pairs in FIGURES.items():
            for true, got in pairs(row, truth[row.level]):
                yield Reading(
                    **common, where=str(row.level), figure=name, truth=true, measured=got
                )
    for angle in figures.kyphosis:
        where = f"{angle.upper}-{angle.lower}"
        true = truth.cobb_deg(angle.upper, angle.lower)
        yield Reading(**common, where=where, figure="cobb", truth=true, measured=angle.cobb)


def wedge(anterior: float, middle: float, posterior: float = 0.0, **more: Any) -> Phantom:
    """T12 to L2 with a fracture of L1."""
    collapse = Collapse(
        level=L1, anterior_loss=anterior, middle_loss=middle, posterior_loss=posterior, **more
    )
    return Phantom(levels=THREE, collapses=(collapse,))


def drawn_case(seed: int, *, fine: bool) -> Case:
    """Draw a case at random: anatomy, fracture, pose, scanner; the same for the same seed."""
    rng, scanner = (np.random.default_rng([seed, int(fine), *more]) for more in ((), (1,)))
    top = int(rng.integers(0, 4))
    order = (Level.T10, Level.T11, T12, L1, L2, Level.L3, Level.L4)
    levels = order[top : top + 4]
    front = float(rng.choice([0.0, rng.uniform(0.1, 0.6)]))
    back = front * float(rng.uniform(0.0, 0.4))
    collapse = Collapse(
        level=levels[1],
        anterior_loss=front,
        middle_loss=float(rng.uniform(back, max(front, back))),
        posterior_loss=back,
        endplate=str(rng.choice(["superior", "inferior"])),  # type: ignore[arg-type]
        retropulsion_mm=float(rng.uniform(0.0, 7.0)) if front > 0.2 else 0.0,
    )
    plane = float(rng.uniform(0.5, 1.0))
    step = float(rng.uniform(0.5, 1.0)) if fine else float(rng.uniform(1.0, 3.0))
    letters = rng.permutation(["LR", "PA", "SI"])
    return Case(
        name=f"drawn_case({seed}, fine={fine})",
        phantom=Phantom(
            levels=levels,
            collapses=(collapse,) if front else (),
            osteophytes=((levels[2], float(rng.uniform(2.0, 5.0))),) if rng.random() < 0.4 else (),
            size=float(rng.uniform(0.85, 1.15)),
            kyphosis_deg=float(rng.uniform(-5.0, 15.0)),
            scoliosis_deg=float(rng.uniform(-12.0, 12.0)),
            axial_rotation_deg=float(rng.uniform(-8.0, 8.0)),
            trabecular_hu=float(rng.uniform(60.0, 180.0)),
            left_pedicle_scale=float(rng.uniform(0.8, 1.0)),
            individual=tuple(
                (level, *map(float, 1.0 + rng.normal(0.0, (HEIGHT_SCATTER, CANAL_SCATTER / 2.0))))
                for level in levels
            ),
        ),
        spacing_mm=(plane, plane, step),
        tilt_deg=(
            float(rng.uniform(-20, 20)),
            float(rng.uniform(-20, 20)),
            float(rng.uniform(-20, 20)),
        ),
        orientation="".join(str(pair)[int(rng.integers(2))] for pair in letters),
        gantry_tilt_deg=float(rng.choice([0.0, rng.uniform(-20, 20)])),
        noise_hu=float(rng.uniform(5.0, 40.0)),
        texture_hu=float(scanner.uniform(10.0, 40.0)),
        blur_mm=float(scanner.uniform(*BLUR_MM)),
        seed=seed,
    )
