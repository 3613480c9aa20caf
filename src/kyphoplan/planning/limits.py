"""The limits of a trajectory, as data; `docs/reference/planning.md` lists them with their sources.

"peer": the Pedicle Screw Simulator of grotyx (its README and user guide).
"""

ANTERIOR_MARGIN_MM = 4.0  # [mm] from the tip to the anterior wall; peer
ENDPLATE_MARGIN_MM = 1.0  # [mm] from the tip to either endplate; chosen
LARGEST_CONVERGENCE_DEG = 35.0  # [deg] towards the mid-line; peer
PEDICLE_MARGIN_MM = (
    1.0  # [mm] of pedicle on each side of the cannula, else it is too narrow; chosen
)
BREACH_TO_WARN = 0.10  # [1] a breach probability above this is warned of; chosen
MISPLACED_MM = 2.0  # [mm] outside the bone: grade C and worse, which series count as misplaced
LARGEST_MISPLACEMENT = 0.07  # [1] policy: part of the aims that may end misplaced; above it a way
# is not safely reachable. A plan must not be worse than a free hand: 93.1 % of such screws are
# accurate (pooled over 78 studies of four techniques, 51,161 screws: Perdomo-Pantoja 2019,
# 10.1016/j.wneu.2019.02.217; abstract alone read: counts 3,614 cortical breaches, depth not said)
REACH_OUT_MM = 60.0  # [mm] behind the entry the way must be free; skin to bone is 50 mm and more
LABEL_SD = 0.29  # [voxel] error of one labelled edge: uniform over a voxel, 1/sqrt(12)
GRADES_MM = (0.0, 2.0, 4.0, 6.0)  # [mm] upper limits of breach for A, B, C, D:
# Gertzbein SD, Robbins SE. Spine 1990;15:11. doi:10.1097/00007632-199001000-00004
