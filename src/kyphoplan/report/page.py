"""The page for people: one HTML file that holds all figures and pictures, and asks no network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from kyphoplan.report.wording import CANNOT_KNOW, FIGURES, Figure, decimal, unit_sign

Json = dict[str, Any]

IN_TABLE = (
    ("Ant.", "anterior_height"),
    ("Mid.", "middle_height"),
    ("Post.", "posterior_height"),
    ("Loss", "height_loss"),
    ("Wedge", "wedge_angle"),
    ("Retrop.", "retropulsion"),
    ("Canal loss", "canal_compromise"),
    ("Density", "density_hu"),
    ("Left ped.", "left_pedicle_width"),
    ("Right ped.", "right_pedicle_width"),
)  # column heading and field of the main table; all other figures stand in the details
FINDINGS = ("height_loss", "anterior_height", "wedge_angle", "retropulsion", "canal_compromise")
ANGLE = Figure(
    field="cobb", unit="deg", title="Cobb angle", digits=1, group="Kyphosis",
    definition="Superior endplate of the upper against inferior endplate of the lower vertebra; "
    "positive for kyphosis.",
)  # fmt: skip
AREA = Figure(
    field="area", unit="mm2", title="Gap", digits=0, group="Bone",
    definition="Hole in the cortical shell.",
)  # fmt: skip
SHAPE_WORDS = {
    "none": "no fracture shape",
    "wedge": "wedge",
    "biconcave": "biconcave",
    "crush": "crush",
    "unknown": "shape unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A finished picture: file name without ending, its level (None: the scan), caption, bytes."""

    name: str
    level: str | None
    caption: str
    png: bytes

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


def measurements_page(data: Json, pictures: Sequence[Picture] = ()) -> str:
    """Return the page of the figures in `measurements_to_json`'s form.

    Everything that came from a file is escaped: it can name no markup.
    """
    by_field = {figure.field: figure for figure in FIGURES}
    fractures = [row for row in data["vertebrae"] if row["fractured"]]
    doubtful = [
        r for r in data["vertebrae"] if not r["fractured"] and any(r["genant"]["possible"])
    ]
    order = {"critical": 0, "warning": 1, "info": 2}
    return (
        environment()
        .get_template("measurements.html")
        .render(
            data=data,
            warnings=sorted(data["warnings"], key=lambda w: order[w["severity"]]),
            fractures=fractures,
            doubtful=doubtful,
            overview=[p for p in pictures if p.level is None],
            pictures=_by_level(pictures),
            columns=[(heading, by_field[field]) for heading, field in IN_TABLE],
            findings=[by_field[field] for field in FINDINGS],
            figures=FIGURES,
            groups=[
                (name, tuple(members)) for name, members in groupby(FIGURES, lambda f: f.group)
            ],
            angle=ANGLE,
            area=AREA,
            cannot_know=CANNOT_KNOW,
        )
    )


def _by_level(pictures: Sequence[Picture]) -> list[tuple[str, list[Picture]]]:
    levels = dict.fromkeys(p.level for p in pictures if p.level is not None)
    return [(level, [p for p in pictures if p.level == level]) for level in levels]


def environment() -> Environment:
    """Return the templates: all text is escaped, a missing figure is an error."""
    made = Environment(
        loader=PackageLoader("kyphoplan", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": _number, "interval": _interval, "genant": _genant}
    return made


def _number(measure: Json, figure: Figure) -> str:
    """Return value and unit, or a dash."""
    if measure["value"] is None:
        return "–"  # noqa: RUF001
    return decimal(measure["value"], figure.digits) + unit_sign(figure.unit)


def _interval(measure: Json, figure: Figure) -> str:
    """Return the 95 % interval without its unit; empty if nothing was measured."""
    if measure["value"] is None:
        return ""
    return " to ".join(decimal(measure[end], figure.digits) for end in ("low", "high"))


def _genant(genant: Json) -> str:
    """Return the grade in words, with all grades the interval reaches.

    Examples
    --------
    >>> _genant({"grade": 2, "shape": "wedge", "possible": [2, 3], "reason": ""})
    'grade 2 wedge (2 or 3 possible)'
    """
    if genant["grade"] is None:
        return "not graded"
    words = f"grade {genant['grade']}"
    if genant["grade"] > 0:
        words += f" {SHAPE_WORDS[genant['shape']]}"
    if len(genant["possible"]) > 1:
        words += f" ({' or '.join(str(g) for g in genant['possible'])} possible)"
    return words
