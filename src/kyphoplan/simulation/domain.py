"""Where the rehearsal may be used: outside it abstains and says why."""

import numpy as np

from kyphoplan.case import Level, LevelPlan, Vertebra, Volume
from kyphoplan.morphometry.density import is_augmented, look_inside

FIRST, LAST = Level.T5, Level.L5
THICKEST_MM = 3.3  # [mm] of a slice, as bodies of 20 mm and less need; 3 mm and a little more
LARGEST_ML = 6.0  # [ml] of a balloon: the largest of the devices


def outside(vertebra: Vertebra, ct: Volume, plan: LevelPlan) -> str:
    """Say why a level lies outside of what the rehearsal was made for; empty if it does not."""
    if not FIRST <= vertebra.level <= LAST:
        return f"outside the domain: it was made for {FIRST} to {LAST}"
    thickest = float(np.max(ct.spacing_mm))
    if thickest > THICKEST_MM:
        return f"outside the domain: slices of {thickest:.1f} mm, at most {THICKEST_MM} mm"
    if is_augmented(look_inside(vertebra, ct)):
        return "outside the domain: earlier cement or metal in the body"
    volumes = [b.volume_ml for b in plan.inflations if b.accepted]
    if max(volumes, default=0.0) > LARGEST_ML:
        return f"outside the domain: a balloon of {max(volumes):.1f} ml, at most {LARGEST_ML} ml"
    return ""
