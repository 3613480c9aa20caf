"""The strength of a vertebra as files: figures, curve, pictures, and the block for ParaView."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kyphoplan.case import Level, Measure
from kyphoplan.geometry import Array
from kyphoplan.io.output import replacing, write_json
from kyphoplan.io.vtu import write_vtu
from kyphoplan.report.canvas import BLUE, GREY, VERMILION, new_figure
from kyphoplan.report.result import png_of
from kyphoplan.simulation.specimen import Caps, Specimen
from kyphoplan.simulation.strength import Strength, caps_used, laws_used

SCHEMA = "kyphoplan.strength/1"
BETWEEN = {Caps.CEMENT: "cement caps", Caps.DISC: "discs"}
STRAIN_SHOWN = 0.03  # [1] end of the colour scale of strain
STRESS_PERCENTILE = 97.0  # [%] of the voxels inside the colour scale of stress


def write_strength(folder: Path, level: Level, specimen: Specimen, found: Strength) -> None:
    """Fill a result folder: strength.json, curve.csv, two pictures and vertebra.vtu."""
    write_json(folder / "strength.json", strength_to_json(level, found))
    with replacing(folder / "curve.csv") as path, path.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["shortening_mm", "force_n", "share_yielding", "balanced", "vertebra_mm"])
        for step in found.crushed.steps:
            shortening = step.share * found.plates_mm
            figures = (f"{shortening:.4f}", f"{step.force_n:.2f}", f"{step.yielding:.4f}")
            rows.writerow([*figures, step.balanced, f"{step.gauge_mm:.4f}"])
    (folder / "figures").mkdir()
    (folder / "figures" / "curve.png").write_bytes(png_of(draw_curve(level, found)))
    (folder / "figures" / "maps.png").write_bytes(png_of(draw_maps(level, found)))
    bone, crushed = found.bone, found.crushed
    write_vtu(
        folder / "vertebra.vtu",
        bone.modulus_mpa > 0.0,
        specimen.affine,
        {
            "modulus_mpa": bone.modulus_mpa,
            "yield_mpa": np.where(np.isfinite(bone.yield_mpa), bone.yield_mpa, np.nan),
            "von_mises_mpa": crushed.von_mises_mpa,
            "equivalent_strain": crushed.equivalent_strain,
        },
        crushed.displacement_mm,
    )


def strength_to_json(level: Level, found: Strength) -> dict[str, Any]:
    """Return the figures as plain data."""
    crushed = found.crushed
    return {
        "schema": SCHEMA,
        "level": str(level),
        "stiffness": _measure(found.stiffness),
        "bending_stiffness": _measure(found.bending),
        "linear_failure_load": _measure(found.linear_failure),
        "failure_load": _measure(found.failure),
        "flexion_failure_moment": _measure(found.flexion_failure),
        "height_mm": round(found.height_mm, 3),
        "calibration": found.calibration,
        "laws": laws_used(),
        "caps": caps_used(found.caps),
        "curve": {
            "outcome": str(crushed.outcome),
            "detail": crushed.detail,
            "share_of_shortening": [step.share for step in crushed.steps],
            "force_n": [round(step.force_n, 3) for step in crushed.steps],
            "vertebra_mm": [round(step.gauge_mm, 4) for step in crushed.steps],
        },
    }


def _measure(measure: Measure) -> dict[str, Any]:
    names = ("value", "low", "high", "unit", "confidence", "reason")
    return {name: getattr(measure, name) for name in names}


def draw_curve(level: Level, found: Strength) -> Figure:
    """Draw load against shortening, with the linear model beside it."""
    figure = new_figure(5.0, 3.6)
    axes = figure.add_axes((0.14, 0.18, 0.82, 0.70))
    steps = found.crushed.steps
    soft = found.caps is Caps.DISC
    shortening = [0.0, *(s.gauge_mm if soft else s.share * found.plates_mm for s in steps)]
    axes.plot(shortening, [0.0, *(s.force_n for s in steps)], "o-", color=BLUE, label="crushing")
    loads = found.linear_failure, found.stiffness
    if loads[0].value is not None and loads[1].value:
        reach = loads[0].value / loads[1].value
        axes.plot([0.0, reach], [0.0, loads[0].value], "--", color=GREY, label="linear")
        axes.plot(reach, loads[0].value, "s", color=VERMILION, label="linear failure (0.68 %)")
    axes.set(
        xlabel=f"shortening {'of the vertebra ' if soft else ''}[mm]",
        ylabel="load [N]",
        xlim=(0, None),
        ylim=(0, None),
    )
    axes.set_title(f"{level}: compression between {BETWEEN[found.caps]}", fontsize=9)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def draw_maps(level: Level, found: Strength) -> Figure:
    """Draw stress and strain on the mid-sagittal and mid-coronal slice at the curve's end."""
    figure = new_figure(7.2, 4.4)
    crushed, solid = found.crushed, found.bone.modulus_mpa > 0.0
    where = np.argwhere(solid[:, :, -1])
    middle = where.mean(axis=0).astype(int)
    columns: list[tuple[str, Array, float]] = [
        ("von Mises stress [MPa]", crushed.von_mises_mpa, _shown(found)),
        ("equivalent strain [1]", crushed.equivalent_strain, STRAIN_SHOWN),
    ]
    for column, (name, values, highest) in enumerate(columns):
        for row, (plane, axis) in enumerate((("sagittal", 0), ("coronal", 1))):
            axes = figure.add_subplot(2, 2, 1 + 2 * row + column)
            part = np.where(solid, values, np.nan).take(middle[axis], axis=axis)
            picture = axes.imshow(
                part.T, origin="lower", cmap="viridis", vmin=0.0, vmax=highest, aspect="equal"
            )
            ends = ("anterior", "posterior") if axis == 0 else ("right", "left")
            axes.set(xticks=[], yticks=[])
            axes.set_xlabel(f"{ends[0]}  -  {ends[1]}", fontsize=8)
            axes.set_title(f"{level}, {plane}: {name}", fontsize=8)
            figure.colorbar(picture, ax=axes, shrink=0.8)
    return figure


def _shown(found: Strength) -> float:
    """End of the colour scale of stress [MPa]: few voxels of the body lie over it."""
    inside = found.crushed.von_mises_mpa[found.bone.modulus_mpa > 0.0]
    return float(np.percentile(inside, STRESS_PERCENTILE)) or 1.0
