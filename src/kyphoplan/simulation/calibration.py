"""From CT intensity to mineral density: an explicit line with its uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from kyphoplan.case import Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array

# [mg/cm3] K2HPO4 that attenuates as the tissue does at 97 keV, (mass attenuation x density - that
# of water) / that of K2HPO4. Attenuation: internal calibration report of VerSe 004 (adipose 0.170,
# air 0.156, blood 0.171, muscle 0.171, K2HPO4 0.205, water 0.173 cm2/g), read. Densities 0.95,
# 0.0012, 1.06 and 1.05 g/cm3: ICRU 44, from memory, so `from_tissues` is never chosen silently.
TISSUES = {"fat": -56.0, "air": -843.0, "blood": 40.0, "muscle": 32.0}
TISSUE_SPREAD = 0.08  # [1] of internal calibration against a phantom; Kaesmacher 2017, PMC5359785
TISSUE_COUNT = 2
WITHOUT_AIR = (
    0.25  # [1] spread of a slope from fat and muscle alone, which lie close together; one
)
# scan gave 17 % less without its air, two others 20 and 30 % less than is usual
# [HU] where a tissue's peak is sought in a scan. Blood is left out, since contrast raises it.
PEAKS = {"air": (-1060.0, -900.0), "fat": (-160.0, -40.0), "muscle": (-10.0, 110.0)}
PEAK_BIN = 2.0  # [HU] of the histogram
PEAK_SHARE = 2e-3  # [1] of the scan's voxels lies within 10 HU of a peak that counts
PEAK_REACH = 10.0  # [HU]
PEAK_HEIGHT = 1.3  # [1] times the lowest place on either side, else it is the slope of another
CUT_SHARE = 0.3  # [1] of a peak's voxels with one and the same value: the scan's least one
MOST_SPREAD = 60.0  # [HU] of 27 voxels of one tissue: over the noise, under the step fat to muscle
MOST_VOXELS = 4_000_000  # [1] looked at; of a larger scan every other one


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A line from intensity to mineral density, ``slope x HU + offset``.

    Attributes
    ----------
    slope : [mg/cm3 per HU].
    offset : [mg/cm3].
    slope_sd, offset_sd : their standard deviations.
    source : where the line comes from, for the report.
    """

    slope: float
    offset: float
    slope_sd: float
    offset_sd: float
    source: str

    def __post_init__(self) -> None:
        """Refuse a line that does not rise."""
        if not self.slope > 0.0:
            raise ValueError(f"slope is {self.slope}: density must rise with HU [mg/cm3 per HU]")
        if self.slope_sd < 0.0 or self.offset_sd < 0.0:
            raise ValueError("a standard deviation is negative: give 0 or more")

    def __call__(self, hu: Any) -> Array:
        """Return the mineral density [mg/cm3].

        Examples
        --------
        >>> float(Calibration(slope=0.8, offset=-5.0, slope_sd=0.0, offset_sd=0.0, source="")(200))
        155.0
        """
        return np.asarray(self.slope * np.asarray(hu, float) + self.offset)

    def shifted(self, deviations: float) -> "Calibration":
        """Return the line moved by so many standard deviations, slope and offset together."""
        return Calibration(
            slope=self.slope + deviations * self.slope_sd,
            offset=self.offset + deviations * self.offset_sd,
            slope_sd=0.0,
            offset_sd=0.0,
            source=self.source,
        )


def given(slope: float, offset: float = 0.0, *, spread: float = 0.0) -> Calibration:
    """Use a line that the user states; ``spread`` is the relative error of its slope [1]."""
    source = f"stated by user: {slope:g} x HU {offset:+g} mg/cm3"
    return Calibration(
        slope=slope, offset=offset, slope_sd=spread * slope, offset_sd=0.0, source=source
    )


def from_phantom(hu: Sequence[float], density_mg_per_cm3: Sequence[float]) -> Calibration:
    """Fit the line through the rods of a calibration phantom, by least squares.

    Examples
    --------
    >>> line = from_phantom([0.0, 60.0, 125.0, 250.0], [0.0, 50.0, 100.0, 200.0])
    >>> round(line.slope, 3)
    0.797
    """
    x, y = np.asarray(hu, float), np.asarray(density_mg_per_cm3, float)
    if x.shape != y.shape or x.size < 3 or np.ptp(x) == 0.0:  # noqa: PLR2004 - error needs three
        raise ValueError("give three rods or more, with their HU and densities [mg/cm3]")
    design = np.stack([x, np.ones_like(x)], axis=1)
    (slope, offset), *_ = np.linalg.lstsq(design, y, rcond=None)
    rest = y - design @ (slope, offset)
    variance = float(rest @ rest) / (x.size - 2)
    spread = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    return Calibration(
        slope=float(slope),
        offset=float(offset),
        slope_sd=float(spread[0]),
        offset_sd=float(spread[1]),
        source=f"phantom with {x.size} rods",
    )


def from_tissues(hu: Mapping[str, float]) -> Calibration:
    """Calibrate without a phantom, from tissues in the scan ("air", "fat", "blood", "muscle").

    Examples
    --------
    >>> line = from_tissues({"air": -956.8, "fat": -82.6, "blood": 39.2, "muscle": 24.6})
    >>> 0.8 < line.slope < 1.0
    True
    """
    unknown = sorted(set(hu) - set(TISSUES))
    if unknown or len(hu) < TISSUE_COUNT:
        raise ValueError(f"give the HU of two or more of {', '.join(TISSUES)}; not {unknown}")
    x = np.array(list(hu.values()), float)
    y = np.array([TISSUES[name] for name in hu])
    slope, offset = np.polyfit(x, y, 1)
    return Calibration(
        slope=float(slope),
        offset=float(offset),
        slope_sd=TISSUE_SPREAD * float(slope),
        offset_sd=0.0,
        source=f"phantomless, from {', '.join(hu)}",
    )


def from_scan(ct: Volume) -> Calibration:
    """Calibrate without a phantom, from the muscle and the air or fat that the scan itself shows.

    The offset is as uncertain as the tissues miss the line.

    Raises
    ------
    CaseError
        If it does not show them.
    """
    found = tissues_in(ct)
    if len(found) < TISSUE_COUNT or "muscle" not in found:
        seen = ", ".join(found) or "nothing"
        raise CaseError(
            f"no calibration from the scan: needs muscle, and air or fat; shows {seen}"
        )
    line = from_tissues(found)
    misses = [float(line(hu)) - TISSUES[name] for name, hu in found.items()]
    told = ", ".join(f"{name} {hu:.0f} HU" for name, hu in found.items())
    return Calibration(
        slope=line.slope,
        offset=line.offset,
        slope_sd=line.slope_sd if "air" in found else WITHOUT_AIR * line.slope,
        offset_sd=float(np.sqrt(np.mean(np.square(misses)))),
        source=f"phantomless, from the scan's {told}; densities of tissues from memory",
    )


def tissues_in(ct: Volume) -> dict[str, float]:
    """Find the intensity of each tissue whose peak stands out in the scan's histogram [HU].

    Means of 27 voxels of one tissue are counted, which quiets noise; constant padding is not.
    Air that the scan's own least value cuts off is not told.
    """
    step = int(np.ceil((ct.voxels.size / MOST_VOXELS) ** (1.0 / 3.0)))
    hu = ct.voxels[::step, ::step, ::step].astype(np.float32)
    mean, square = ndimage.uniform_filter(hu, 3), ndimage.uniform_filter(hu * hu, 3)
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
    within = (spread > 0.0) & (spread < MOST_SPREAD)
    means = mean[within]
    peaks = {name: _peak(means, *ends) for name, ends in PEAKS.items()}
    if peaks["air"] is not None and _cut_off(hu[within], peaks["air"]):
        peaks["air"] = None
    return {name: peak for name, peak in peaks.items() if peak is not None}


def _cut_off(hu: Array, peak: float) -> bool:
    """Tell whether one value stands for all that lies under it."""
    near = hu[np.abs(hu - peak) <= PEAK_REACH]
    return bool(np.unique(near, return_counts=True)[1].max(initial=0) > CUT_SHARE * near.size)


def _peak(hu: Array, low: float, high: float) -> float | None:
    """Return where the histogram has its peak between two ends, if one stands out there."""
    counts, edges = np.histogram(hu, np.arange(low, high + PEAK_BIN, PEAK_BIN))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), 2.0)
    top = int(smooth.argmax())
    centre = 0.5 * float(edges[top] + edges[top + 1])
    near = np.abs(hu - centre) <= PEAK_REACH
    least = max(smooth[: top + 1].min(), smooth[top:].min())
    inside = 0 < top < smooth.size - 1 and smooth[top] > PEAK_HEIGHT * least
    return float(np.median(hu[near])) if inside and near.mean() >= PEAK_SHARE else None
