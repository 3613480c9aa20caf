"""An orientation that the user states, for a file that does not say how it lies in the patient.

Left and right are never guessed. A statement is taken only where a file's own orientation is
unknown or contradictory; it becomes a warning that travels to every output.
"""

from collections.abc import Sequence

import numpy as np

from kyphoplan.case import Notice, Severity
from kyphoplan.errors import GeometryError
from kyphoplan.geometry import Array

OR_STATE = ", or state where the voxel axes lead with --assume-orientation"
DIRECTIONS = {  # letter -> direction in LPS
    "L": (1, 0, 0),
    "R": (-1, 0, 0),
    "P": (0, 1, 0),
    "A": (0, -1, 0),
    "S": (0, 0, 1),
    "I": (0, 0, -1),
}


def axes_of(letters: str) -> Array:
    """Return the directions of the voxel axes as columns (LPS), from letters such as ``LPS``.

    Each letter says where an axis leads: to the Left or Right, Posterior or Anterior, Superior or
    Inferior.

    Raises
    ------
    ValueError
        If the letters are no three directions, one of each pair.

    Examples
    --------
    >>> axes_of("RAS").diagonal()
    array([-1., -1.,  1.])
    """
    names = letters.strip().upper()
    if len(names) != 3 or not set(names) <= set(DIRECTIONS):  # noqa: PLR2004
        raise ValueError(f"orientation {letters!r}: give three letters such as LPS or RAS")
    axes = np.array([DIRECTIONS[name] for name in names], float).T
    if abs(np.linalg.det(axes)) != 1.0:
        raise ValueError(f"orientation {letters!r}: give one letter of each pair LR, PA, SI")
    return axes


def letters_of(affine: Array) -> str:
    """Return where the voxel axes lead, nearest patient direction each, such as ``LPS``.

    Examples
    --------
    >>> letters_of(np.diag([-1.0, 1.0, 2.0, 1.0]))
    'RPS'
    """
    names = np.array(list(DIRECTIONS))
    towards = np.array(list(DIRECTIONS.values()), float)
    columns = np.asarray(affine, float)[:3, :3]
    return "".join(names[(towards @ (columns / np.linalg.norm(columns, axis=0))).argmax(axis=0)])


def stated_affine(
    letters: str, sizes_mm: Array, shape: Sequence[int], why: str
) -> tuple[Array, tuple[Notice, ...]]:
    """Place an image as the user states, its middle at the origin [mm, LPS], and say so.

    Parameters
    ----------
    why : what is wrong with the file's own orientation.
    """
    affine = np.eye(4)
    affine[:3, :3] = axes_of(letters) * sizes_mm
    affine[:3, 3] = -affine[:3, :3] @ ((np.asarray(shape[:3], float) - 1.0) / 2.0)
    stated = Notice(
        code="orientation_stated",
        severity=Severity.CRITICAL,
        level=None,
        text=f"orientation stated by user: voxel axes lead to {letters.upper()}; the file's own: "
        + why.split(":", maxsplit=1)[0],
        remedy="check on a picture that left is left before anything else",
    )
    return affine, (stated,)


def check_statement(affine: Array, letters: str | None) -> None:
    """Refuse a statement that contradicts what the file itself says.

    Raises
    ------
    GeometryError
        If it names other directions.
    """
    if letters is None:
        return
    axes_of(letters)
    own = letters_of(affine)
    if own != letters.strip().upper():
        raise GeometryError(
            f"its own orientation is {own}, not {letters.upper()} as stated: leave "
            "--assume-orientation out",
            code="orientation_denied",
        )
