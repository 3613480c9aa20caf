"""Which label scheme a bare label map follows: proven from where its labels lie, or refused.

A vertebra's value alone proves nothing. But VerSe counts from head to tail and TotalSegmentator
from tail to head, vertebrae follow one another without a gap, and their distance differs by
region. A scheme fits if all of this is right under it. Two schemes that fit with different levels
are ambiguous, and the map is refused: a wrong level is worse than a question.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from kyphoplan.case import LabelMap, Level, Notice, Severity, Volume, follows
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.io.label_schemes import SCHEMES, SUBREGION_BODY, SUBREGIONS, Scheme

# [mm] median distance of neighbouring vertebrae's centroids by region: body height plus disc
# (shared data: Panjabi 1991/92, Bonczar 2024, Bach 2019, see docs/reference/label-schemes.md)
# with half as much room on both sides for small, tall and collapsed spines.
STEP_MM = {"cervical": (9.0, 21.0), "thoracic": (12.0, 36.0), "lumbar": (18.0, 50.0)}
CLEARLY_REVERSED_MM = 5.0  # [mm] own choice: less can be noise of two centroids
FEWEST_LEVELS = 2  # [1] a single label has no order


def centroids(volume: Volume) -> dict[int, Array]:
    """Return the centre of each label value [mm, LPS], background left out."""
    indices = np.stack(np.nonzero(volume.voxels), axis=-1)
    which = volume.voxels[tuple(indices.T)]
    count = np.bincount(which)
    values = np.flatnonzero(count)
    sums = [np.bincount(which, indices[:, axis])[values] for axis in range(3)]
    mean = np.stack(sums, axis=-1) / count[values, np.newaxis]
    return dict(zip(values.tolist(), volume.to_patient(mean), strict=True))


def prove_scheme(centres: Mapping[int, Array]) -> tuple[Scheme, dict[int, Level], str]:
    """Return the one scheme that fits where the labels lie, its levels, and the proof in words.

    Raises
    ------
    CaseError
        If no scheme fits, or several do with different levels (all named).
    """
    fitting = [(scheme, _fit(scheme, centres)) for scheme in SCHEMES.values()]
    distinct: list[tuple[Scheme, dict[int, Level]]] = []
    for scheme, levels in fitting:
        if levels and levels not in [known for _, known in distinct]:
            distinct.append((scheme, levels))
    if not distinct:
        raise CaseError(_nothing_fits(centres), code="scheme_unproven")
    if len(distinct) > 1:
        raise CaseError(_ambiguous(distinct), code="scheme_ambiguous")
    scheme, levels = distinct[0]
    ends = f"{min(levels.values())} to {max(levels.values())}"
    return scheme, levels, f"proven by craniocaudal order of the labels, {ends}"


def _fit(scheme: Scheme, centres: Mapping[int, Array]) -> dict[int, Level]:
    """Return value -> level if all present values fit a scheme, else nothing."""
    if any(value not in scheme.levels and value not in scheme.ignored for value in centres):
        return {}
    levels = {value: scheme.levels[value] for value in centres if value in scheme.levels}
    placed = sorted((level, value) for value, level in levels.items())
    if len(placed) < FEWEST_LEVELS:
        return {}
    steps: dict[str, list[float]] = {}
    for (upper, above), (lower, below) in pairwise(placed):
        if not follows(upper, lower) or centres[above][2] <= centres[below][2]:
            return {}
        distance = float(np.linalg.norm(centres[above] - centres[below]))
        steps.setdefault(_region(upper, lower), []).append(distance)
    plausible = all(_within(np.median(found), STEP_MM[r]) for r, found in steps.items())
    return levels if plausible else {}


def _region(upper: Level, lower: Level) -> str:
    """Region whose distances apply to a pair: the upper's, which suits both transitions."""
    return upper.region if lower is not Level.S1 else "lumbar"


def _within(value: float | np.floating, limits: tuple[float, float]) -> bool:
    return bool(limits[0] <= value <= limits[1])


def _ambiguous(distinct: list[tuple[Scheme, dict[int, Level]]]) -> str:
    values = sorted({v for _, levels in distinct for v in levels})
    differing = [v for v in values if len({levels.get(v) for _, levels in distinct}) > 1]
    first, last = differing[0], differing[-1]
    told = " or ".join(
        f"{scheme.name} ({first} = {levels.get(first)}"
        + (f", {last} = {levels.get(last)})" if last != first else ")")
        for scheme, levels in distinct
    )
    return f"label scheme is ambiguous, it can be {told}: state it with --label-scheme"


def _nothing_fits(centres: Mapping[int, Array]) -> str:
    values = _listing(sorted(centres))
    if any(value in centres for value in SUBREGION_BODY) and len(centres) > 1:
        return (
            f"label values {values} fit no vertebra scheme; if these are SPINEPS subregions, "
            f"state --label-scheme {SUBREGIONS} and the levels in view, from head to tail"
        )
    if len(centres) < FEWEST_LEVELS:
        return (
            f"the single label value {values} proves no label scheme: state --label-scheme "
            f"({', '.join(SCHEMES)}) or a name table"
        )
    return (
        f"label values {values} fit no known label scheme in their order from head to tail: state "
        f"--label-scheme ({', '.join(SCHEMES)}) or a name table"
    )


def _listing(values: list[int], most: int = 12) -> str:
    shown = ", ".join(str(v) for v in values[:most])
    return shown + (f", ... ({len(values)} in all)" if len(values) > most else "")


def check_order(labels: LabelMap, centres: Mapping[int, Array]) -> tuple[Notice, ...]:
    """Compare the named levels with where they lie, whatever the names come from.

    Raises
    ------
    CaseError
        If the levels run upside down: the scheme or the placement is wrong.
    """
    placed = [(level, centres[value]) for value, level in labels.levels.items()]
    turned = [(a, b) for (a, p), (b, q) in pairwise(placed) if p[2] < q[2] - CLEARLY_REVERSED_MM]
    if not turned:
        return ()
    if len(turned) > (len(placed) - 1) / 2:
        upper, lower = turned[0]
        raise CaseError(
            f"under label scheme {labels.scheme} ({labels.basis}) the levels run upside down "
            f"({upper} lies below {lower}): state the right --label-scheme, or correct the "
            "file's orientation",
            code="upside_down",
        )
    return tuple(
        Notice(
            code="level_order",
            severity=Severity.WARNING,
            level=lower,
            text=f"{lower} is labelled below {upper} but lies above it",
            remedy="check the level names of these two labels",
        )
        for upper, lower in turned
    )
