"""Angles in the sagittal plane: wedge of one body, Cobb over several."""

import numpy as np

from kyphoplan.case import Confidence, Endplate, Kyphosis, Measure, Spine, Vertebra
from kyphoplan.geometry import Array, unit

METHOD_SD_DEG = 0.10  # [deg] the line through two points of a curved endplate (phantoms)


def endplate_line(endplate: Endplate) -> Array:
    """Return the unit vector from the anterior to the posterior height point."""
    return unit(endplate.posterior_mm - endplate.anterior_mm)


def sagittal_angle(upper: Array, lower: Array, left: Array) -> float:
    """Angle [deg] from the lower to the upper endplate line, seen along ``left``.

    Positive when the lines converge in front (kyphosis, anterior wedge).

    Examples
    --------
    >>> import numpy as np
    >>> dropped = np.array([0.0, np.cos(0.1), np.sin(0.1)])  # front lower than back
    >>> round(sagittal_angle(dropped, np.array([0.0, 1.0, 0.0]), np.array([1.0, 0, 0])), 3)
    5.73
    """
    return float(np.rad2deg(np.arctan2(np.cross(lower, upper) @ left, lower @ upper)))


def _angle_sd(upper: Endplate, lower: Endplate) -> float:
    """Uncertainty [deg] from how well the ends of each line are known against each other."""
    total = 0.0
    for plate in (upper, lower):
        length = float(np.linalg.norm(plate.posterior_mm - plate.anterior_mm))
        total += (plate.rise_sd_mm / length) ** 2
    return float(np.hypot(np.rad2deg(np.sqrt(total)), METHOD_SD_DEG))


def _trust(sd_deg: float) -> Confidence:
    return Confidence.HIGH if sd_deg < 1.5 else Confidence.MEDIUM  # noqa: PLR2004 [deg]


def wedge_angle(vertebra: Vertebra) -> Measure:
    """Measure the angle of one body's endplate lines [deg], positive if the front is lower."""
    body, frame = vertebra.body, vertebra.frame
    if body is None or frame is None:
        return Measure.unknown("deg", vertebra.reason)
    sd = _angle_sd(body.superior, body.inferior)
    value = sagittal_angle(endplate_line(body.superior), endplate_line(body.inferior), frame.left)
    return Measure.of(value, sd, "deg", "height points of both endplates", confidence=_trust(sd))


def cobb_angle(upper: Vertebra, lower: Vertebra) -> Measure:
    """Measure superior endplate of ``upper`` against inferior endplate of ``lower`` [deg].

    In the sagittal plane between the two vertebrae; positive for kyphosis.
    """
    for vertebra in (upper, lower):
        if vertebra.body is None or vertebra.frame is None:
            return Measure.unknown("deg", f"{vertebra.level}: {vertebra.reason}")
    assert upper.body  # told above
    assert lower.body
    assert upper.frame
    assert lower.frame
    left = unit(upper.frame.left + lower.frame.left)
    top, bottom = upper.body.superior, lower.body.inferior
    sd = _angle_sd(top, bottom)
    lines = [line - (line @ left) * left for line in (endplate_line(top), endplate_line(bottom))]
    value = sagittal_angle(unit(lines[0]), unit(lines[1]), left)
    return Measure.of(value, sd, "deg", "height points of both endplates", confidence=_trust(sd))


def segmental_angles(spine: Spine) -> tuple[Kyphosis, ...]:
    """Measure every mono- and bisegmental angle: two and three consecutive levels."""
    found = []
    for span in (1, 2):
        for upper in spine.vertebrae:
            for lower in spine.vertebrae:
                if spine.steps(upper.level, lower.level) == span:
                    cobb = cobb_angle(upper, lower)
                    found.append(Kyphosis(upper=upper.level, lower=lower.level, cobb=cobb))
    return tuple(found)
