"""What every reader hands over: voxels, their place, the names in the file, and notices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Notice, Severity, Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.io.hounsfield import hounsfield_notices

LARGEST_BYTES = 2 * 1024**3  # [byte] largest decoded image that is read; own choice
FEWEST_SLICES = 2  # [1] one slice has no third dimension


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """One image as read from a file.

    Attributes
    ----------
    voxels : (I, J, K) values, scaled.
    affine : (4, 4) placement [mm, LPS].
    names : label value -> name, where the file carries a table of names.
    names_from : where these names stood ("header table", "segment names").
    notices : what the reader has to report.
    series : the series that a DICOM folder holds, as plain data.
    """

    voxels: NDArray[Any]
    affine: Array
    names: Mapping[int, str] = field(default_factory=dict)
    names_from: str = ""
    notices: tuple[Notice, ...] = ()
    series: tuple[Mapping[str, Any], ...] = ()

    def as_volume(self) -> Volume:
        """Place the voxels in the patient."""
        return Volume(self.voxels, self.affine)


def check_shape(shape: tuple[int, ...], bytes_per_voxel: int) -> tuple[int, int, int]:
    """Return the three sizes of an image, before any memory is taken for it.

    Raises
    ------
    CaseError
        If it is not three-dimensional, has a single slice, or is too large.
    """
    sizes = tuple(shape)
    while len(sizes) > 3 and sizes[-1] == 1:  # noqa: PLR2004
        sizes = sizes[:-1]
    size = " x ".join(str(n) for n in shape)
    if len(sizes) != 3:  # noqa: PLR2004
        raise CaseError(
            f"{size} voxels is not a three-dimensional image: give a single volume",
            code="dimensions",
        )
    if min(sizes) < FEWEST_SLICES:
        raise CaseError(
            f"{size} voxels is a single slice or nothing: give the whole volume",
            code="single_slice",
        )
    need = sizes[0] * sizes[1] * sizes[2] * bytes_per_voxel
    if need > LARGEST_BYTES:
        raise CaseError(
            f"{size} voxels need {need / 1024**3:.1f} GiB, more than "
            f"{LARGEST_BYTES / 1024**3:.0f} GiB: crop the scan to the spine",
            code="too_large",
        )
    return sizes[0], sizes[1], sizes[2]


def intensities(decoded: Decoded) -> Decoded:
    """Return the image with intensities as int16 where they fit exactly, else float32.

    Raises
    ------
    CaseError
        If the voxels are not real numbers, or all the same.
    """
    voxels = decoded.voxels
    if voxels.dtype.kind not in "iufb":
        raise CaseError(
            f"voxels are {voxels.dtype}, not plain numbers: give a greyscale CT",
            code="not_greyscale",
        )
    notices = decoded.notices
    if voxels.dtype.kind == "f":
        finite = np.isfinite(voxels)
        missing = voxels.size - int(finite.sum())
        if missing:
            notices = (*notices, _missing_notice(missing, voxels.size))
        low, high = (voxels[finite].min(), voxels[finite].max()) if finite.any() else (0, 0)
        voxels = voxels.astype(np.float32, copy=False)
    else:
        low, high = int(voxels.min()), int(voxels.max())
        limits = np.iinfo(np.int16)
        fits = limits.min <= low and high <= limits.max
        voxels = voxels.astype(np.int16 if fits else np.float32, copy=False)
    if low == high:
        raise CaseError(
            "all voxels have the same value: this is no CT, give another file", code="constant"
        )
    notices += hounsfield_notices(voxels)
    return replace(decoded, voxels=voxels, notices=notices)


def _missing_notice(missing: int, size: int) -> Notice:
    return Notice(
        code="missing_voxels",
        severity=Severity.WARNING,
        level=None,
        text=f"{missing} voxels ({100 * missing / size:.2g} %) have no value (NaN, infinite)",
        remedy="export the scan again; figures that touch these voxels cannot be trusted",
    )


def whole_numbers(voxels: NDArray[Any]) -> NDArray[np.integer[Any]]:
    """Return labels as the smallest unsigned integers that hold them.

    Raises
    ------
    CaseError
        If a voxel is no whole number from 0 to 65535: then this is no label map.
    """
    if voxels.dtype.kind == "f" and not (np.isfinite(voxels).all() and (voxels % 1 == 0).all()):
        text = "holds values that are no whole numbers: give a label map, not a CT"
        raise CaseError(text, code="no_labels")
    low, high = float(voxels.min()), float(voxels.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        text = f"holds values from {low:g} to {high:g}: give a label map, not a CT"
        raise CaseError(text, code="no_labels")
    return voxels.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)
