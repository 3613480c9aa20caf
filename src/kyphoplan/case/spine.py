"""The anatomy found in a scan: vertebrae with endplates, walls, pedicles and canal; immutable."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import pairwise

from kyphoplan.case.level import Level, follows
from kyphoplan.case.measure import Measure
from kyphoplan.case.volume import Volume
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, Frame


class Side(StrEnum):
    """The patient's own left and right."""

    LEFT = "left"
    RIGHT = "right"


class Part(IntEnum):
    """What a voxel of `Vertebra.parts` belongs to."""

    OUTSIDE = 0
    BODY = 1
    ARCH = 2  # pedicles, laminae, processes
    OSTEOPHYTE = 3  # spurs and bridges beyond the body's own outline


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Endplate:
    """The superior or inferior surface of a vertebral body.

    Attributes
    ----------
    points_mm : (N, 3) samples of the surface [mm, LPS], osteophytes left out.
    normal : (3,) unit vector out of the body.
    anterior_mm, middle_mm, posterior_mm : (3,) the three height points of the mid-sagittal plane,
        at 15, 50 and 85 % of the body's depth.
    curve_mm : (M, 3) the mid-sagittal endplate curve from anterior to posterior [mm, LPS].
    sd_mm : (3,) standard uncertainty of the three points along the body's axis [mm].
    rise_sd_mm : that of the difference between the anterior and the posterior point [mm].
    refined_fraction : part of the surface that was placed by the CT's own edge (0 without CT).
    """

    points_mm: Array
    normal: Array
    anterior_mm: Array
    middle_mm: Array
    posterior_mm: Array
    curve_mm: Array
    sd_mm: Array
    rise_sd_mm: float
    refined_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pedicle:
    """The bridge from body to arch on one side, at its narrowest place.

    Attributes
    ----------
    isthmus_mm : (3,) centre of the narrowest cross-section [mm, LPS].
    axis : (3,) unit vector along the pedicle, from posterior to anterior (as a needle goes).
    outline_mm : (M, 3) closed contour of the narrowest cross-section [mm, LPS].
    width, height : transverse and craniocaudal diameter of that cross-section [mm].
    """

    side: Side
    isthmus_mm: Array
    axis: Array
    outline_mm: Array
    width: Measure
    height: Measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canal:
    """The part of the spinal canal behind one vertebra.

    Attributes
    ----------
    centre_mm : (3,) centre of the narrowest cross-section [mm, LPS].
    axis : (3,) unit vector along the canal, cranial.
    outline_mm : (M, 3) closed contour of the narrowest cross-section [mm, LPS].
    line_mm : (M, 3) centre line through this vertebra, from caudal to cranial [mm, LPS].
    area : area of the narrowest cross-section [mm2].
    """

    centre_mm: Array
    axis: Array
    outline_mm: Array
    line_mm: Array
    area: Measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """The vertebral body without its arch.

    Attributes
    ----------
    superior, inferior : the two endplates.
    anterior_wall_mm, posterior_wall_mm : (M, 3) mid-sagittal wall curves, caudal to cranial.
    depth_mm, width_mm : antero-posterior and transverse size of the waist [mm].
    volume : volume of the body [ml].
    """

    superior: Endplate
    inferior: Endplate
    anterior_wall_mm: Array
    posterior_wall_mm: Array
    depth_mm: float
    width_mm: float
    volume: Measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vertebra:
    """One vertebra as found in the scan.

    Attributes
    ----------
    frame : the body's own frame, origin at the body's centre.
    parts : voxels of `Part` on an isotropic grid of its own, up to some degrees off ``frame``;
        None if not located.
    surface : signed distance to the bone's surface [mm], negative inside, on the same grid.
    body, canal, left_pedicle, right_pedicle : None where they could not be found.
    reason : empty if all was found, else what is missing and why ("cropped: ...").
    """

    level: Level
    frame: Frame | None
    parts: Volume | None
    surface: Volume | None
    body: Body | None
    canal: Canal | None
    left_pedicle: Pedicle | None
    right_pedicle: Pedicle | None
    cropped: bool
    reason: str

    @property
    def pedicles(self) -> tuple[Pedicle, ...]:
        """The pedicles found, left first."""
        return tuple(p for p in (self.left_pedicle, self.right_pedicle) if p is not None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spine:
    """The vertebrae of one scan from head to tail.

    Attributes
    ----------
    vertebrae : sorted from cranial to caudal.
    scheme, basis : the label scheme and how it is known.
    spacing_mm : (3,) voxel size of the label map [mm], sorted as stored.
    """

    vertebrae: tuple[Vertebra, ...]
    scheme: str
    basis: str
    spacing_mm: Array

    def __getitem__(self, level: Level | str) -> Vertebra:
        """Return the vertebra of a level, by `Level` or name."""
        wanted = Level.parse(level) if isinstance(level, str) else level
        for vertebra in self.vertebrae:
            if vertebra.level is wanted:
                return vertebra
        have = ", ".join(str(v.level) for v in self.vertebrae)
        raise NotFoundError(f"level {wanted}: not in the label map: choose from {have}")

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels present, from head to tail."""
        return tuple(v.level for v in self.vertebrae)

    def steps(self, first: Level, second: Level) -> int | None:
        """Count the levels from one vertebra down to another; None across a missing level.

        Negative if ``second`` lies above ``first``.
        """
        a, b = self.levels.index(first), self.levels.index(second)
        chain = self.levels[min(a, b) : max(a, b) + 1]
        unbroken = all(follows(u, v) for u, v in pairwise(chain))
        return b - a if unbroken else None
