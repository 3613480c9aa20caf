"""One straight way judged by all limits: the same for a proposed and for a surgeon's own."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.case import (
    Approach,
    Clearance,
    Confidence,
    GertzbeinRobbins,
    Measure,
    Side,
    Trajectory,
    Vertebra,
)
from kyphoplan.geometry import Array
from kyphoplan.planning.breach import (
    AimingError,
    chance_of_breach,
    chance_of_misplacement,
    least_room,
)
from kyphoplan.planning.limits import (
    ANTERIOR_MARGIN_MM,
    ENDPLATE_MARGIN_MM,
    GRADES_MM,
    LABEL_SD,
    LARGEST_CONVERGENCE_DEG,
    LARGEST_MISPLACEMENT,
    MISPLACED_MM,
)
from kyphoplan.planning.reach import in_the_way, tip_distances
from kyphoplan.planning.room import Room, beside_pedicle
from kyphoplan.planning.sections import QUARTERS, Sections, cut, surely_inside_mm, wall_at

STEP_MM = 0.25  # [mm] along the axis
BACKWARD_MM = 90.0  # [mm] from the tip, within which the bone's entry lies
BOUNDS = ("value", "low", "high")  # of a clearance
WALLS = ("medial", "lateral", "superior", "inferior")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A straight way in a room's own coordinates [mm]; the entry is where it meets the bone."""

    entry: Array
    target: Array

    @property
    def length_mm(self) -> float:
        """Length inside the bone [mm]."""
        return float(np.linalg.norm(self.target - self.entry))

    @property
    def outward(self) -> Array:
        """Unit direction from the tip to the skin."""
        return np.asarray((self.entry - self.target) / self.length_mm)

    @property
    def axial_deg(self) -> float:
        """Convergence towards the mid-line [deg]."""
        return float(np.rad2deg(np.arctan2(self.outward[0], self.outward[1])))

    @property
    def sagittal_deg(self) -> float:
        """Angle in the sagittal plane, positive when the tip points to the head [deg]."""
        return float(np.rad2deg(np.arctan2(-self.outward[2], self.outward[1])))


def bone_entry(room: Room, start: Array, target: Array) -> Array | None:
    """Where a line from the skin first meets this vertebra's bone; None if it meets none."""
    outward = (start - target) / np.linalg.norm(start - target)
    t = np.arange(0.0, BACKWARD_MM, STEP_MM)
    values = room.bone(target + t[:, None] * outward)
    last = np.flatnonzero(values[:-1] < 0)
    if last.size == 0:
        return None
    k = int(last[-1])
    share = values[k] / (values[k] - values[k + 1])
    return np.asarray(target + (t[k] + share * STEP_MM) * outward)


def grade_of(breach_mm: float) -> GertzbeinRobbins:
    """Grade a breach after Gertzbein and Robbins.

    Examples
    --------
    >>> [str(grade_of(mm)) for mm in (-0.5, 1.0, 2.0, 7.0)]
    ['A', 'B', 'C', 'E']
    """
    if breach_mm <= GRADES_MM[0]:
        return GertzbeinRobbins.A
    grades = list(GertzbeinRobbins)
    return next(
        (g for g, most in zip(grades[1:], GRADES_MM[1:], strict=False) if breach_mm < most),
        GertzbeinRobbins.E,
    )


def grades_between(least_mm: float, most_mm: float) -> tuple[GertzbeinRobbins, ...]:
    """Return all grades of breaches between two sizes [mm].

    Examples
    --------
    >>> [str(grade) for grade in grades_between(-0.4, 0.3)]
    ['A', 'B']
    """
    grades = list(GertzbeinRobbins)
    first, last = (grades.index(grade_of(breach)) for breach in (least_mm, most_mm))
    return tuple(grades[first : last + 1])


def judge(  # noqa: PLR0913 - what is judged, and by what
    room: Room,
    neighbours: tuple[Vertebra, ...],
    *,
    side: Side,
    approach: Approach,
    entry_mm: Array,
    target_mm: Array,
    diameter_mm: float,
    aiming: AimingError,
) -> Trajectory:
    """Judge a cannula from entry to target [mm, LPS]."""
    extra = approach is Approach.EXTRAPEDICULAR
    if extra and room.corridor is None:
        room = beside_pedicle(room)
    start, target = room.to_own(entry_mm), room.to_own(target_mm)
    entry = bone_entry(room, start, target)
    if entry is None or np.linalg.norm(entry - target) < diameter_mm:
        return refused(
            side, approach, (entry_mm, target_mm), diameter_mm, "does not meet the bone"
        )
    line = Line(entry=entry, target=target)
    radius, sd = 0.5 * diameter_mm, LABEL_SD * room.voxel_mm
    sections = cut(room, entry, target, diameter_mm)
    clearance = _clearance(room, sections, target, radius, sd)
    counted = counted_walls(approach)
    least, lowest, highest = (_least(clearance, approach, which) for which in BOUNDS)
    left = least_room(sections, aiming)
    reason = _broken_limit(
        _Case(
            room=room,
            neighbours=neighbours,
            line=line,
            sections=sections,
            clearance=clearance,
            counted=counted,
            rim_mm=wall_at(room, entry, target, surely_inside_mm(diameter_mm, sd)),
            radius=radius,
        )
    ) or _often_misplaced(chance_of_misplacement(left, radius))
    return Trajectory(
        side=side,
        approach=approach,
        entry_mm=np.asarray(entry_mm, float),
        target_mm=np.asarray(target_mm, float),
        outer_diameter_mm=diameter_mm,
        clearance=clearance,
        axial_angle_deg=line.axial_deg,
        sagittal_angle_deg=line.sagittal_deg,
        depth_mm=line.length_mm,
        grade=grade_of(-least),
        possible=grades_between(-highest, -lowest),
        breach_probability=chance_of_breach(left, radius, aiming, sd),
        accepted=not reason,
        reason=reason,
    )


def counted_walls(approach: Approach) -> tuple[str, ...]:
    """Name the walls that must not be broken: beside a pedicle its lateral wall is not one."""
    extra = approach is Approach.EXTRAPEDICULAR
    return tuple(wall for wall in WALLS if not (extra and wall == "lateral"))


def least_clearance(way: Trajectory) -> float:
    """Return the smallest clearance of the walls that count [mm]; -inf if none is known."""
    return _least(way.clearance, way.approach)


def _least(clearance: Clearance, approach: Approach, which: str = "value") -> float:
    values = [getattr(getattr(clearance, wall), which) for wall in counted_walls(approach)]
    return min((v for v in values if v is not None), default=-np.inf)


def refused(
    side: Side, approach: Approach, ends_mm: tuple[Array, Array], diameter_mm: float, reason: str
) -> Trajectory:
    """Refuse a way that cannot be measured at all."""
    nothing = Measure.unknown("mm", reason)
    return Trajectory(
        side=side,
        approach=approach,
        entry_mm=np.asarray(ends_mm[0], float),
        target_mm=np.asarray(ends_mm[1], float),
        outer_diameter_mm=diameter_mm,
        clearance=Clearance(
            medial=nothing, lateral=nothing, superior=nothing, inferior=nothing, anterior=nothing
        ),
        axial_angle_deg=0.0,
        sagittal_angle_deg=0.0,
        depth_mm=0.0,
        grade=GertzbeinRobbins.E,
        possible=tuple(GertzbeinRobbins),
        breach_probability=Measure.unknown("1", reason),
        accepted=False,
        reason=reason,
    )


def _clearance(
    room: Room, sections: Sections, target: Array, radius: float, sd: float
) -> Clearance:
    """Signed distances from the cannula to the walls of the pedicle and before its tip."""
    how = f"edge of the label at {room.voxel_mm:.1f} mm voxels"
    confidence = Confidence.HIGH if room.voxel_mm <= 1.5 else Confidence.MEDIUM  # noqa: PLR2004
    found = {}
    for wall in WALLS:
        value = sections.clearance(QUARTERS[wall], radius)
        found[wall] = (
            Measure.of(value, sd, "mm", how, confidence=confidence)
            if np.isfinite(value)
            else Measure.unknown("mm", "the way does not pass beside the canal")
        )
    ahead = float(tip_distances(room, target[None])[0][0]) - radius
    return Clearance(
        anterior=Measure.of(ahead, sd, "mm", how, confidence=confidence),
        **found,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Case:
    """What is judged.

    Attributes
    ----------
    counted : the walls that must not be broken.
    rim_mm : distance from the axis to the nearest wall where the cannula must have entered [mm].
    """

    room: Room
    neighbours: tuple[Vertebra, ...]
    line: Line
    sections: Sections
    clearance: Clearance
    counted: tuple[str, ...]
    rim_mm: float
    radius: float


def _broken_limit(case: _Case) -> str:
    """Name the first limit that is broken; empty if all hold."""
    return _broken_at_the_pedicle(case) or _broken_in_the_body(case) or _unreachable(case)


def _broken_at_the_pedicle(case: _Case) -> str:
    line = case.line
    axis = line.entry - np.arange(0.0, line.length_mm, STEP_MM)[:, None] * line.outward
    into = case.radius - float(case.room.canal(axis).min())
    if into > 0:
        return f"canal: the cannula is {into:.1f} mm inside"
    for wall in case.counted:
        measure = getattr(case.clearance, wall)
        if measure.value is None:
            return "pedicle: the way does not pass through it"
        if wall == "medial" and measure.low < 0:
            return f"medial wall: clearance {measure.value:.1f} mm, may be {measure.low:.1f} mm"
        if measure.value < 0:
            return f"{wall} wall: {-measure.value:.1f} mm outside"
    if abs(line.axial_deg) > LARGEST_CONVERGENCE_DEG:
        return f"convergence {line.axial_deg:.0f} deg: more than {LARGEST_CONVERGENCE_DEG:.0f} deg"
    return ""


def _broken_in_the_body(case: _Case) -> str:
    if float(case.sections.radius_mm.min()) < case.radius:
        return "leaves the bone between the entry and the tip"
    if case.rim_mm < case.radius:
        return "entry: on an edge of bone, which may not hold the cannula on every side"
    ahead = case.clearance.anterior.value
    if ahead is None or ahead < ANTERIOR_MARGIN_MM:
        return f"anterior wall: {ahead:.1f} mm before the tip, less than {ANTERIOR_MARGIN_MM:g} mm"
    plates = tip_distances(case.room, case.line.target[None])[1][0] - case.radius
    if float(plates.min()) < ENDPLATE_MARGIN_MM:
        return f"endplate: {plates.min():.1f} mm from the tip, less than {ENDPLATE_MARGIN_MM:g} mm"
    return ""


def _unreachable(case: _Case) -> str:
    room, line = case.room, case.line
    if line.entry[0] < 0:
        return "wrong side: the entry lies beyond the mid-line"
    if room.corridor is None and line.entry[1] < room.foremost_entry_mm:
        return "entry: in front of the pedicle's back end, through its side"
    if room.corridor is None and not _unbroken(room, line):
        return "entry not reachable: another part of the vertebra lies before the pedicle"
    level = in_the_way(room, case.neighbours, line.entry, line.outward, case.radius)
    return f"entry not reachable: {level} lies in the way" if level else ""


def _often_misplaced(chance: float) -> str:
    if chance <= LARGEST_MISPLACEMENT:
        return ""
    return (
        f"not safely reachable: {100.0 * chance:.0f} % of aims leave the bone by "
        f"{MISPLACED_MM:g} mm or more, with the assumed aiming error; at most "
        f"{100.0 * LARGEST_MISPLACEMENT:.0f} % are allowed"
    )


def _unbroken(room: Room, line: Line) -> bool:
    """Say whether the axis stays in bone from the entry to the tip."""
    t = np.arange(STEP_MM, line.length_mm, STEP_MM)
    return bool((room.bone(line.entry - t[:, None] * line.outward) < 0).all())
