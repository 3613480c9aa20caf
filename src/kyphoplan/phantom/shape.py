"""What a phantom is: a few numbers per spine and per fracture, from which all else follows."""

from dataclasses import dataclass, field, replace
from typing import Literal

from kyphoplan.case import Level, follows
from kyphoplan.phantom.sizes import SIZES

LARGEST_LOSS = 0.8  # [1] a body cannot be pressed flatter than this
LARGEST_RETROPULSION_MM = 9.0  # [mm] beyond it the bulge would fold over itself
DEFAULT_LEVELS = (Level.T10, Level.T11, Level.T12, Level.L1, Level.L2, Level.L3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """A fracture of one level.

    Attributes
    ----------
    anterior_loss, middle_loss, posterior_loss : part of the unbroken height that is lost at 15,
        50 and 85 % of the body's depth, 0 to 0.8.
    endplate : the endplate that breaks in.
    depression_mm : an additional focal dish in that endplate [mm].
    retropulsion_mm : bulge of the posterior wall beside that endplate into the canal [mm].
    gap_mm : craniocaudal width of a slit through the anterior cortex [mm].
    cleft_ml : gas-filled cleft in the anterior half under that endplate [ml].
    """

    level: Level
    anterior_loss: float = 0.0
    middle_loss: float = 0.0
    posterior_loss: float = 0.0
    endplate: Literal["superior", "inferior"] = "superior"
    depression_mm: float = 0.0
    retropulsion_mm: float = 0.0
    gap_mm: float = 0.0
    cleft_ml: float = 0.0

    def __post_init__(self) -> None:
        """Check."""
        for name in ("anterior_loss", "middle_loss", "posterior_loss"):
            _check(name, getattr(self, name), LARGEST_LOSS, "")
        _check("depression_mm", self.depression_mm, 10.0, "mm")
        _check("retropulsion_mm", self.retropulsion_mm, LARGEST_RETROPULSION_MM, "mm")
        _check("gap_mm", self.gap_mm, 10.0, "mm")
        _check("cleft_ml", self.cleft_ml, 5.0, "ml")
        if self.endplate not in ("superior", "inferior"):
            raise ValueError(f"endplate {self.endplate!r}: use superior or inferior")

    @property
    def losses(self) -> tuple[float, float, float]:
        """The losses at the anterior, middle and posterior station."""
        return self.anterior_loss, self.middle_loss, self.posterior_loss


def _check(name: str, value: float, highest: float, unit: str) -> None:
    if not 0.0 <= value <= highest:
        raise ValueError(f"{name} {value} {unit}: give a value between 0 and {highest}".strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Phantom:
    """A synthetic spine, unrotated: x left, y posterior, z superior.

    Attributes
    ----------
    levels : from head to tail, without a gap; T5 to L6.
    collapses : at most one fracture per level.
    osteophytes : pairs of level and size [mm] of the anterior lips at both its rims; lips of two
        neighbours that are longer than the disc is high bridge it.
    size : scale of the whole person [1].
    individual : triples of level, scale of its body heights and scale of its canal [1]: no two
        people's levels lie on one line.
    kyphosis_deg : additional sagittal bend, spread over the discs, positive forward.
    scoliosis_deg : lateral bend from the lowest to the highest level, positive to the left.
    axial_rotation_deg : twist from the lowest to the highest level, positive to the left.
    trabecular_hu, trabecular_step_hu : spongy bone of the top level, and its change per level.
    texture_hu : standard deviation of the spongy bone about its density, from place to place.
    cortical_hu : compact bone before any blurring.
    left_pedicle_scale : width of the left pedicles over that of the right ones [1].
    left_marker : a dense bead in the soft tissue on the patient's left.

    Examples
    --------
    >>> wedge = Collapse(level=Level.L1, anterior_loss=0.4, middle_loss=0.2)
    >>> Phantom(collapses=(wedge,)).collapse_of(Level.L1).anterior_loss
    0.4
    """

    levels: tuple[Level, ...] = DEFAULT_LEVELS
    collapses: tuple[Collapse, ...] = ()
    osteophytes: tuple[tuple[Level, float], ...] = field(default=())
    size: float = 1.0
    individual: tuple[tuple[Level, float, float], ...] = ()
    kyphosis_deg: float = 0.0
    scoliosis_deg: float = 0.0
    axial_rotation_deg: float = 0.0
    trabecular_hu: float = 140.0
    trabecular_step_hu: float = -4.0
    texture_hu: float = 0.0
    cortical_hu: float = 1000.0
    left_pedicle_scale: float = 1.0
    left_marker: bool = False

    def __post_init__(self) -> None:
        """Check."""
        absent = [str(level) for level in self.levels if level not in SIZES]
        if absent or not self.levels:
            raise ValueError(f"levels {', '.join(absent) or '()'}: choose from T5 to L6")
        for upper, lower in zip(self.levels, self.levels[1:], strict=False):
            if not follows(upper, lower):
                raise ValueError(f"levels: {lower} does not follow {upper}: leave no gap")
        broken = [collapse.level for collapse in self.collapses]
        if len(set(broken)) < len(broken) or not set(broken) <= set(self.levels):
            raise ValueError("collapses: give at most one for each level of the phantom")
        if not 0.5 <= self.size <= 1.5:  # noqa: PLR2004
            raise ValueError(f"size {self.size}: give a scale between 0.5 and 1.5")

    def collapse_of(self, level: Level) -> Collapse:
        """Return the fracture of a level; one without any loss if it is whole."""
        return next((c for c in self.collapses if c.level is level), Collapse(level=level))

    def individual_of(self, level: Level) -> tuple[float, float]:
        """Return the own scale of a level's heights and of its canal [1]."""
        return next((own[1:] for own in self.individual if own[0] is level), (1.0, 1.0))

    def osteophyte_mm(self, level: Level) -> float:
        """Return the size of the anterior lips of a level [mm], 0 if it has none."""
        return dict(self.osteophytes).get(level, 0.0)

    def unbroken(self) -> "Phantom":
        """Return the same spine before its fractures."""
        return replace(self, collapses=())
