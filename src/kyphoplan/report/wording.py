"""The words of every output: intended use, and the name, unit and definition of each figure."""

from dataclasses import dataclass

INTENDED_USE = (
    "Research and teaching only. Not a medical device; not for diagnosis or treatment. "
    "Check every figure against the images before you rely on it."
)
SHORT_INTENDED_USE = "Research and teaching only; not for diagnosis or treatment"

CANNOT_KNOW = (
    "how old a fracture is: CT does not show it, MRI (STIR) or the patient's history does",
    "whether the fracture is the source of the pain",
    "the spinal cord, nerves and other soft tissue",
    "the shape of the spine when standing: the scan is taken lying",
    "whether the labels name the right vertebrae: count the level under fluoroscopy",
)

SUFFIX = {
    "mm": "mm",
    "deg": "deg",
    "%": "pct",
    "ml": "ml",
    "mm2": "mm2",
    "HU": "hu",
    "mg/cm3": "mg_per_cm3",
}

UNIT_SIGN = {"mm2": "mm²", "mg/cm3": "mg/cm³", "deg": "°", "%": "%"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a vertebra as it is named and shown.

    Attributes
    ----------
    field : the attribute of `VertebraMeasures`.
    unit : the unit it must have.
    title, definition : in words.
    digits : decimals shown.
    group : heading under which it stands.
    """

    field: str
    unit: str
    title: str
    definition: str
    digits: int
    group: str

    @property
    def key(self) -> str:
        """Name in JSON: the field with its unit, such as ``anterior_height_mm``.

        Examples
        --------
        >>> [figure.key for figure in FIGURES[:1]]
        ['anterior_height_mm']
        """
        suffix = "_" + SUFFIX[self.unit]
        return self.field if self.field.endswith(suffix) else self.field + suffix


_ROWS = {
    "Height": (
        (
            "anterior_height",
            "mm",
            "Anterior height",
            1,
            "Distance between the endplates at 15 % "
            "of the body's depth from its front, in the mid-sagittal plane.",
        ),
        ("middle_height", "mm", "Middle height", 1, "The same at 50 % of the depth."),
        ("posterior_height", "mm", "Posterior height", 1, "The same at 85 % of the depth."),
        (
            "expected_anterior_height",
            "mm",
            "Expected anterior height",
            1,
            "Anterior height of the unbroken body, from its intact neighbours or published norms.",
        ),
        (
            "expected_middle_height",
            "mm",
            "Expected middle height",
            1,
            "Middle height of the unbroken body, likewise.",
        ),
        (
            "expected_posterior_height",
            "mm",
            "Expected posterior height",
            1,
            "Posterior height of the unbroken body, likewise.",
        ),
        (
            "height_loss",
            "%",
            "Height loss",
            0,
            "The largest loss among the three heights, against the expected height.",
        ),
    ),
    "Shape": (
        (
            "wedge_angle",
            "deg",
            "Wedge angle",
            1,
            "Angle between the two endplate lines (anterior to posterior height point).",
        ),
        (
            "superior_depression",
            "mm",
            "Superior endplate depression",
            1,
            "Deepest point of the superior endplate below its endplate line.",
        ),
        (
            "inferior_depression",
            "mm",
            "Inferior endplate depression",
            1,
            "Deepest point of the inferior endplate above its endplate line.",
        ),
        ("body_volume", "ml", "Body volume", 1, "Volume of the body without arch and spurs."),
    ),
    "Canal": (
        (
            "retropulsion",
            "mm",
            "Retropulsion",
            1,
            "How far the posterior wall stands into the canal.",
        ),
        ("canal_area", "mm2", "Canal area", 0, "Area of the canal at its narrowest place."),
        (
            "canal_compromise",
            "%",
            "Canal compromise",
            0,
            "Area lost at the narrowest place, against the canal of the neighbours.",
        ),
    ),
    "Pedicles": (
        (
            "left_pedicle_width",
            "mm",
            "Left pedicle width",
            1,
            "Transverse diameter at the isthmus, the pedicle's narrowest place.",
        ),
        ("right_pedicle_width", "mm", "Right pedicle width", 1, "The same on the right."),
        (
            "left_pedicle_height",
            "mm",
            "Left pedicle height",
            1,
            "Craniocaudal diameter at the isthmus.",
        ),
        ("right_pedicle_height", "mm", "Right pedicle height", 1, "The same on the right."),
    ),
    "Bone": (
        (
            "density_hu",
            "HU",
            "Trabecular density",
            0,
            "Mean of the trabecular bone, without cortex, vessels, cleft and cement.",
        ),
        (
            "density_mg_per_cm3",
            "mg/cm3",
            "Calibrated density",
            0,
            "The same, from a calibrated scan only.",
        ),
        ("cleft_volume", "ml", "Intravertebral cleft", 2, "Volume of gas or fluid in the body."),
    ),
}

FIGURES = tuple(
    Figure(field=field, unit=unit, title=title, definition=definition, digits=digits, group=group)
    for group, rows in _ROWS.items()
    for field, unit, title, digits, definition in rows
)


def unit_sign(unit: str) -> str:
    """Return the unit as it is printed behind a number, with its leading space if it has one.

    Examples
    --------
    >>> unit_sign("mm2"), unit_sign("deg"), unit_sign("%")
    (' mm²', '°', ' %')
    """
    sign = UNIT_SIGN.get(unit, unit)
    return sign if unit == "deg" else f" {sign}"


def decimal(value: float, digits: int) -> str:
    """Write a number with so many decimals, and zero without a sign.

    Examples
    --------
    >>> decimal(-0.2, 0), decimal(-1.25, 1), decimal(12.345, 2)
    ('0', '-1.2', '12.35')
    """
    return f"{round(value, digits) + 0.0:.{digits}f}"
