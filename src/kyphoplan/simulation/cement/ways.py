"""How wide the ways out of a vertebra are: what a CT does not show, by value or drawn."""

from dataclasses import dataclass, fields

import numpy as np

from kyphoplan.materials import (
    BASIVERTEBRAL_DEPTH,
    BASIVERTEBRAL_MM,
    CRACK_SHARE,
    DISC_RESISTANCE,
    ENDPLATE_BROKEN,
    ENDPLATE_GAP_MM,
    FRACTURE_GAP_MM,
    HIDDEN_GAPS,
    HIDDEN_MM2,
    OTHER_BROKEN,
    SEGMENTAL_MM,
    SHELL_MM,
    SHELL_PERMEABILITY,
    TRACK_GAP_MM,
    VEIN_MM,
)

CHANNELS = 4  # [1] of a body's veins to front and sides; assumed
GAP_SPREAD = 0.3  # [1] relative standard deviation of a gap's area, as morphometry.cortex has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How wide the ways out are; a CT shows none of it, so it is drawn from wide ranges.

    Attributes
    ----------
    shell_permeability : of cortex and endplate to marrow [mm2].
    shell_mm : their thickness [mm].
    basivertebral_mm : radius of the canal [mm].
    segmental_mm : radii of the channels, each its own, from the right to the left [mm].
    vein_mm : length of veins outside [mm].
    basivertebral_depth : of the canal, over the depth of the body [1].
    track_gap_mm : beside the cannula [mm].
    disc_resistance : times that of the gap in the endplate [1].
    fracture_gap_mm, endplate_gap_mm : opening of a crack in shell, in endplate [mm].
    lift_mm : by which a balloon has raised the broken endplate: so wide the break has opened all
        through the body, its crack included [mm].
    endplate_open, other_endplate_open : whether the endplate that went down is broken through, and
        whether the other one is.
    crack_share : part of the crack's length that is open [1].
    crack_place : where along its length that part lies, from 0 to 1 [1].
    crack_height : where in the broken band the crack runs, from 0 at the endplate to 1 [1].
    vein_turn : by which the veins inside the bone are turned, from -1 to 1 of half their angle.
    gap_factor : times the area of each gap found in the CT [1].
    hidden : gaps too small for the CT: each a place on the skin from 0 to 1, and an area [mm2].
        None by value; drawn in a Monte-Carlo, since not seen is not absent.
    """

    shell_permeability: float = SHELL_PERMEABILITY.value
    shell_mm: float = SHELL_MM.value
    basivertebral_mm: float = BASIVERTEBRAL_MM.value
    basivertebral_depth: float = BASIVERTEBRAL_DEPTH.value
    segmental_mm: tuple[float, ...] = (SEGMENTAL_MM.value,) * CHANNELS
    vein_mm: float = VEIN_MM.value
    track_gap_mm: float = TRACK_GAP_MM.value
    disc_resistance: float = DISC_RESISTANCE.value
    fracture_gap_mm: float = FRACTURE_GAP_MM.value
    endplate_gap_mm: float = ENDPLATE_GAP_MM.value
    lift_mm: float = 0.0
    endplate_open: bool = True
    other_endplate_open: bool = False
    crack_share: float = CRACK_SHARE.value
    crack_place: float = 0.5
    crack_height: float = 0.5
    vein_turn: float = 0.0
    gap_factor: float = 1.0
    hidden: tuple[tuple[float, float], ...] = ()

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Ways":
        """Draw all of them, independently."""
        numbers = {f.name: _RANGES[f.name].drawn(rng) for f in fields(cls) if f.name in _RANGES}
        factor = float(np.exp(rng.normal(0.0, GAP_SPREAD)))
        count = int(rng.poisson(HIDDEN_GAPS.drawn(rng)))
        return cls(
            gap_factor=factor,
            hidden=tuple((float(rng.random()), HIDDEN_MM2.drawn(rng)) for _ in range(count)),
            crack_place=float(rng.random()),
            crack_height=float(rng.random()),
            segmental_mm=tuple(SEGMENTAL_MM.drawn(rng) for _ in range(CHANNELS)),
            vein_turn=float(rng.uniform(-1.0, 1.0)),
            endplate_open=bool(rng.random() < ENDPLATE_BROKEN.drawn(rng)),
            other_endplate_open=bool(rng.random() < OTHER_BROKEN.drawn(rng)),
            **numbers,
        )


_RANGES = {
    "shell_permeability": SHELL_PERMEABILITY,
    "shell_mm": SHELL_MM,
    "basivertebral_mm": BASIVERTEBRAL_MM,
    "basivertebral_depth": BASIVERTEBRAL_DEPTH,
    "vein_mm": VEIN_MM,
    "track_gap_mm": TRACK_GAP_MM,
    "disc_resistance": DISC_RESISTANCE,
    "fracture_gap_mm": FRACTURE_GAP_MM,
    "endplate_gap_mm": ENDPLATE_GAP_MM,
    "crack_share": CRACK_SHARE,
}
USUAL_WAYS = Ways()
