"""What is said of labelled levels that have no vertebra's size or distance."""

from kyphoplan.case import LabelMap, Notice, Severity
from kyphoplan.case.plausible import extents_of, has_size, implausible_levels
from kyphoplan.errors import GeometryError


def check_sizes(labels: LabelMap) -> tuple[Notice, ...]:
    """Warn of each level whose size or distance is no vertebra's.

    Raises
    ------
    GeometryError
        If no level at all has a vertebra's size: the file's unit is wrong.
    """
    extents = extents_of(labels)
    if extents and not any(has_size(extent) for extent in extents.values()):
        level, extent = next(iter(extents.items()))
        raise GeometryError(
            f"{level} is {extent.size_mm:.3g} mm across, which no vertebra is: check the file's "
            "unit (millimetres expected)",
            code="vertebra_size",
        )
    return tuple(
        Notice(
            code="implausible_level",
            severity=Severity.WARNING,
            level=level,
            text=f"implausible: {what}, which is not a vertebra's; it is not measured",
            remedy="check its outline and name on the pictures",
        )
        for level, what in implausible_levels(labels, extents).items()
    )
