"""Whether numbers can be Hounsfield units: a CT has air or fat below, tissue around zero."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Notice, Severity
from kyphoplan.errors import CaseError

# [HU] a CT's lowest numbers: air is -1000, and noise and ringing reach some way below it
LOWEST_HU, AIR_HU, FAT_HU, TISSUE_HU = -1200.0, -1000.0, -150.0, -400.0
HIGHEST_HU = 32_767.0  # [HU] the end of the widest scale; beyond it a sign was misread
MOST_ABOVE = 0.001  # [1] of the voxels beyond the scale's end; own choice
SHIFTED_HU = (800.0, 1300.0)  # [HU] where tissue lies if 1024 was never subtracted
MOST_BELOW = 0.2  # [1] of the voxels below air: more cannot be ringing; own choice
MOST_SHIFTED = 0.3  # [1] of the voxels where only dense cortical bone is; own choice
LEAST_TISSUE = 0.01  # [1] of the voxels denser than lung; own choice
FEWEST_PADDINGS = 3  # [1] distinct numbers below air are taken for padding; own choice
SAMPLE = 1_000_000  # [1] voxels that are looked at


def hounsfield_notices(voxels: NDArray[Any]) -> tuple[Notice, ...]:
    """Judge a CT's numbers; warn of what is odd.

    Raises
    ------
    CaseError
        If they cannot be Hounsfield units: shifted by 1024 either way, or nothing but air.
    """
    sample = voxels[_stride(voxels.shape)]
    sample = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
    below = sample[sample < LOWEST_HU]
    padding = below.size and np.unique(below).size <= FEWEST_PADDINGS
    inside = sample[sample >= LOWEST_HU] if padding else sample.reshape(-1)
    if not inside.size:
        _refuse("all voxels lie below -1200")
    if not padding and below.size > MOST_BELOW * sample.size:
        _refuse(f"{100 * below.size / sample.size:.0f} % of the voxels lie below -1200")
    above = float((inside > HIGHEST_HU).mean())
    if above > MOST_ABOVE:
        _refuse(f"{100 * above:.2g} % of the voxels lie above 32767, as if a sign were misread")
    shifted = float(((inside > SHIFTED_HU[0]) & (inside < SHIFTED_HU[1])).mean())
    if inside.min() > FAT_HU and shifted > MOST_SHIFTED:
        _refuse(f"{100 * shifted:.0f} % of the voxels lie between 800 and 1300, none below -150")
    if float((inside > TISSUE_HU).mean()) < LEAST_TISSUE:
        _refuse("there is nothing but air")
    return (*_outside(below.size / sample.size if padding else 0.0), *_no_fat(inside))


def _stride(shape: tuple[int, ...]) -> tuple[slice, ...]:
    step = max(1, int(np.ceil((np.prod(shape, dtype=float) / SAMPLE) ** (1 / 3))))
    return (slice(None, None, step),) * len(shape)


def _refuse(why: str) -> None:
    raise CaseError(
        f"numbers are no Hounsfield units ({why}): give the CT with its rescale slope and "
        "intercept",
        code="not_hounsfield",
    )


def _outside(part: float) -> tuple[Notice, ...]:
    if not part:
        return ()
    return (
        Notice(
            code="padding",
            severity=Severity.INFO,
            level=None,
            text=f"{100 * part:.2g} % of the voxels are padding outside the scan",
            remedy="none needed if no vertebra reaches there",
        ),
    )


def _no_fat(inside: NDArray[Any]) -> tuple[Notice, ...]:
    if inside.min() < 0:
        return ()
    return (
        Notice(
            code="hounsfield_doubtful",
            severity=Severity.WARNING,
            level=None,
            text="no voxel is below 0 HU, though fat is: perhaps this is no CT, or a window of it",
            remedy="density is not to be trusted; give the CT as it was reconstructed",
        ),
    )
