"""All figures of a spine, in one call."""

from kyphoplan.case import (
    Level,
    Measure,
    Measurements,
    Notice,
    Severity,
    Spine,
    Vertebra,
    VertebraMeasures,
    Volume,
)
from kyphoplan.morphometry.contrast import contrast_notices
from kyphoplan.morphometry.cortex import cortical_gaps
from kyphoplan.morphometry.density import (
    Inside,
    cleft_volume,
    density_hu,
    is_augmented,
    look_inside,
)
from kyphoplan.morphometry.encroachment import canal_compromise, retropulsion
from kyphoplan.morphometry.heights import (
    FRACTURE_PCT,
    Expected,
    body_heights,
    depression,
    expected_heights,
    genant,
    height_loss,
)
from kyphoplan.morphometry.kyphosis import segmental_angles, wedge_angle

UNCALIBRATED = "no calibration: HU cannot be turned into mineral density without one"
UNFIT = {  # code by the reason's first word
    "metal": "metal",
    "missing": "missing_voxels_in_bone",
    "implausible": "implausible_level",
}
THICK_MM = 2.0  # [mm] voxels from which figures are marked as coarse


def measure(spine: Spine, ct: Volume | None = None) -> Measurements:
    """Measure every vertebra: heights, fracture, angles, density, canal, pedicles, cortex.

    Parameters
    ----------
    spine : as found by `kyphoplan.locate`.
    ct : the CT [HU]; without it the intensity figures are null with their reason.

    Returns
    -------
    Every figure with its interval, unit and reason; warnings as data.

    Examples
    --------
    >>> from kyphoplan.anatomy import locate
    >>> from kyphoplan.case import Level
    >>> from kyphoplan.phantom import Phantom, scan
    >>> image = scan(Phantom(levels=(Level.L1, Level.L2)), spacing_mm=(2.0, 2.0, 2.0))
    >>> measure(locate(image.labels)).fractures
    ()
    """
    ct = _stored_by_anatomy(spine, ct)
    heights = {v.level: body_heights(v) for v in spine.vertebrae}
    expected = expected_heights(spine, heights)
    losses = {level: height_loss(heights[level], expected[level]) for level in spine.levels}
    intact = tuple(level for level, loss in losses.items() if _is_intact(loss))
    rows, notices = [], _scan_notices(spine, ct)
    for vertebra in spine.vertebrae:
        level = vertebra.level
        inside = None if ct is None else look_inside(vertebra, ct)
        rows.append(_row(spine, vertebra, ct, inside, (heights[level], expected[level], intact)))
        notices += _level_notices(vertebra, rows[-1], inside)
    return Measurements(
        label_scheme=spine.scheme,
        label_basis=spine.basis,
        vertebrae=tuple(rows),
        kyphosis=segmental_angles(spine),
        notices=(*notices, *contrast_notices(spine, ct)),
    )


def _stored_by_anatomy(spine: Spine, ct: Volume | None) -> Volume | None:
    """Store the CT along the patient's own axes, so that its storage order changes no bit."""
    frames = [v.frame for v in spine.vertebrae if v.frame is not None]
    return ct.reordered(frames[0].axes) if ct is not None and frames else ct


def _is_intact(loss: Measure) -> bool:
    return loss.value is not None and loss.value < FRACTURE_PCT


def _row(
    spine: Spine,
    vertebra: Vertebra,
    ct: Volume | None,
    inside: Inside | None,
    context: tuple[tuple[Measure, Measure, Measure], Expected, tuple[Level, ...]],
) -> VertebraMeasures:
    """Collect the figures of one vertebra."""
    heights, expected, intact = context
    others = tuple(level for level in intact if level is not vertebra.level)
    body, level, reason = vertebra.body, vertebra.level, vertebra.reason
    superior = None if vertebra.frame is None else vertebra.frame.superior
    loss = height_loss(heights, expected)
    gaps, gaps_reason = cortical_gaps(vertebra, ct)
    no_ct = reason or ("no CT was given" if ct is None else "the CT does not cover this body")
    left, right = vertebra.left_pedicle, vertebra.right_pedicle
    missing = Measure.unknown("mm", reason or "no pedicle: no bridge from body to arch found")
    return VertebraMeasures(
        level=level,
        anterior_height=heights[0],
        middle_height=heights[1],
        posterior_height=heights[2],
        expected_anterior_height=expected.heights[0],
        expected_middle_height=expected.heights[1],
        expected_posterior_height=expected.heights[2],
        reference_basis=expected.basis,
        height_loss=loss,
        genant=genant(heights, expected, loss),
        wedge_angle=wedge_angle(vertebra),
        body_volume=Measure.unknown("ml", reason) if body is None else body.volume,
        density_hu=Measure.unknown("HU", no_ct)
        if inside is None
        else density_hu(vertebra, inside),
        density_mg_per_cm3=Measure.unknown("mg/cm3", UNCALIBRATED),
        superior_depression=depression(body.superior if body else None, superior, reason),
        inferior_depression=depression(body.inferior if body else None, superior, reason),
        retropulsion=retropulsion(spine, level, others),
        canal_area=vertebra.canal.area
        if vertebra.canal
        else Measure.unknown("mm2", reason or "open canal"),
        canal_compromise=canal_compromise(spine, level, others),
        left_pedicle_width=left.width if left else missing,
        right_pedicle_width=right.width if right else missing,
        left_pedicle_height=left.height if left else missing,
        right_pedicle_height=right.height if right else missing,
        cleft_volume=Measure.unknown("ml", no_ct)
        if inside is None
        else cleft_volume(vertebra, inside),
        cortical_gaps=gaps,
        cortical_gaps_reason=gaps_reason,
    )


def _scan_notices(spine: Spine, ct: Volume | None) -> list[Notice]:
    """Warn of what concerns the whole scan."""
    notices = []
    if ct is None:
        notices.append(
            Notice(
                code="no_ct",
                severity=Severity.INFO,
                level=None,
                text="measured from the label map alone, its edges taken as drawn; "
                "intensity figures are missing",
                remedy="give the CT with -i for sharper endplates, density and cortical gaps",
            )
        )
    if float(spine.spacing_mm[-1]) >= THICK_MM:
        notices.append(
            Notice(
                code="coarse_voxels",
                severity=Severity.WARNING,
                level=None,
                text=f"voxels of {spine.spacing_mm[-1]:.1f} mm widen the intervals",
                remedy="use a reconstruction of 1 mm or less where there is one",
            )
        )
    return notices


def _level_notices(
    vertebra: Vertebra, row: VertebraMeasures, inside: Inside | None
) -> list[Notice]:
    """Warn of what concerns one vertebra."""
    notices = []

    def warn(code: str, text: str, remedy: str, severity: Severity = Severity.WARNING) -> None:
        notices.append(
            Notice(code=code, severity=severity, level=vertebra.level, text=text, remedy=remedy)
        )

    if vertebra.cropped:
        warn("cropped", "cut by the field of view: not measured", "scan or crop with more margin")
    elif vertebra.reason:
        code = UNFIT.get(vertebra.reason.partition(":")[0], "not_located")
        warn(code, vertebra.reason, "look at CT and label map at this level")
    if len(row.genant.possible) > 1 and row.genant.possible[-1] > 0:
        grades = " or ".join(str(int(grade)) for grade in row.genant.possible)
        warn("grade_spans_cut", f"the interval allows grade {grades}", "judge by eye")
    if row.height_loss.value is not None and row.reference_basis.startswith("level norm"):
        warn("norm_reference", row.reference_basis, "include intact neighbours in the scan")
    if is_augmented(inside):
        warn(
            "dense_material",
            "dense material in the body (earlier cement or metal); density excludes it",
            "check whether this level was treated before",
        )
    return notices
