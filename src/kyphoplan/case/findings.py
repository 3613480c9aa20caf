"""What was measured on a spine: heights, fractures, kyphosis, and what to be warned of."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from kyphoplan.case.level import Level
from kyphoplan.case.measure import Measure
from kyphoplan.geometry import Array


class Severity(StrEnum):
    """How much a notice matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A warning as data: it travels to every output.

    Attributes
    ----------
    code : stable name for programs, such as ``cropped``.
    level : the vertebra concerned, or None for the whole scan.
    text, remedy : what is the matter, and what to do.
    """

    code: str
    severity: Severity
    level: Level | None
    text: str
    remedy: str


class Shape(StrEnum):
    """Genant's shape of a fractured body."""

    NONE = "none"
    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"
    UNKNOWN = "unknown"


class Grade(IntEnum):
    """Genant's semiquantitative grade."""

    NORMAL = 0
    MILD = 1
    MODERATE = 2
    SEVERE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Genant:
    """Grade and shape of a fracture after Genant.

    Attributes
    ----------
    grade : None if no height loss could be measured.
    possible : all grades that the interval of the height loss reaches; two or more at a cut.
    reason : the rule used, or why there is no grade.
    """

    grade: Grade | None
    shape: Shape
    possible: tuple[Grade, ...]
    reason: str


class GapSite(StrEnum):
    """Where the cortical shell of a body is broken."""

    ANTERIOR = "anterior"
    LEFT = "left"
    RIGHT = "right"
    POSTERIOR = "posterior"
    SUPERIOR = "superior endplate"
    INFERIOR = "inferior endplate"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorticalGap:
    """A hole in the cortical shell: a way out for cement.

    Attributes
    ----------
    centre_mm : (3,) place [mm, LPS].
    area : size of the hole [mm2].
    """

    site: GapSite
    centre_mm: Array
    area: Measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VertebraMeasures:
    """All figures of one vertebra; see `docs/reference/measurements.md` for each definition."""

    level: Level
    anterior_height: Measure
    middle_height: Measure
    posterior_height: Measure
    expected_anterior_height: Measure
    expected_middle_height: Measure
    expected_posterior_height: Measure
    reference_basis: str
    height_loss: Measure
    genant: Genant
    wedge_angle: Measure
    body_volume: Measure
    density_hu: Measure
    density_mg_per_cm3: Measure
    superior_depression: Measure
    inferior_depression: Measure
    retropulsion: Measure
    canal_area: Measure
    canal_compromise: Measure
    left_pedicle_width: Measure
    right_pedicle_width: Measure
    left_pedicle_height: Measure
    right_pedicle_height: Measure
    cleft_volume: Measure
    cortical_gaps: tuple[CorticalGap, ...]
    cortical_gaps_reason: str

    @property
    def fractured(self) -> bool:
        """Say whether the height loss reaches Genant grade 1."""
        return self.genant.grade is not None and self.genant.grade > Grade.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Kyphosis:
    """The sagittal angle over several levels.

    Attributes
    ----------
    upper, lower : superior endplate of ``upper`` against inferior endplate of ``lower``.
    cobb : angle [deg], positive for kyphosis.
    """

    upper: Level
    lower: Level
    cobb: Measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurements:
    """The figures of a whole scan.

    Attributes
    ----------
    vertebrae : sorted from head to tail.
    kyphosis : mono- and bisegmental angles around each measured level.
    """

    label_scheme: str
    label_basis: str
    vertebrae: tuple[VertebraMeasures, ...]
    kyphosis: tuple[Kyphosis, ...]
    notices: tuple[Notice, ...]

    def __getitem__(self, level: Level | str) -> VertebraMeasures:
        """Return the figures of a level, by `Level` or name; KeyError if absent."""
        wanted = Level.parse(level) if isinstance(level, str) else level
        for row in self.vertebrae:
            if row.level is wanted:
                return row
        raise KeyError(str(wanted))

    @property
    def fractures(self) -> tuple[VertebraMeasures, ...]:
        """The vertebrae called fractured (Genant grade 1 or more)."""
        return tuple(row for row in self.vertebrae if row.fractured)
