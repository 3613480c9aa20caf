"""The plan for other programs: JSON, meshes, markups, navigation table, labels with names."""

from pathlib import Path

from kyphoplan.case import (
    Assessment,
    LabelMap,
    Measurements,
    Notice,
    Plan,
    Rehearsal,
    Severity,
    Spine,
    Volume,
)
from kyphoplan.errors import GeometryError
from kyphoplan.io import result_folder, write_json, write_volume
from kyphoplan.io.markups import SUFFIX, Line, write_line
from kyphoplan.io.mesh import write_3mf, write_glb, write_stl
from kyphoplan.io.navigation import write_navigation
from kyphoplan.planning.solids import level_solids
from kyphoplan.report.plan_json import plan_to_json
from kyphoplan.report.result import fill
from kyphoplan.report.surgeon import write_surgeon


def write_plan(  # noqa: PLR0913 - parts of a result
    folder: str | Path,
    plan: Plan,
    measurements: Measurements,
    spine: Spine,
    ct: Volume | None = None,
    *,
    assessment: Assessment | None = None,
    rehearsal: Rehearsal | None = None,
    overwrite: bool = False,
) -> Path:
    """Write figures, plan, both pages, pictures and exports to a folder.

    With an assessment it stands in ``surgeon.html``, and ``assessment.json`` is written. The
    command ``run`` writes the same, and the labels and a manifest with them.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds anything already.
    """
    levels = tuple(level.level for level in plan.levels) or None
    with result_folder(folder, overwrite=overwrite) as working:
        fill(working, measurements, spine, ct, levels=levels)
        write_surgeon(
            working,
            plan,
            spine,
            measurements,
            ct,
            assessment=assessment,
            rehearsal=rehearsal,
        )
        write_exports(working, plan, spine)
    return Path(folder)


def write_exports(
    folder: Path, plan: Plan, spine: Spine, labels: LabelMap | None = None
) -> tuple[Notice, ...]:
    """Write what other programs open into an existing folder.

    ``plan.json``, ``navigation.csv``, ``trajectories/*.mrk.json``, ``meshes/*.stl``, ``.glb`` and
    ``.3mf`` with their space in the name, and ``segmentation.seg.nrrd``.

    Returns
    -------
    What could not be written, and why.
    """
    write_json(folder / "plan.json", plan_to_json(plan))
    write_navigation(folder / "navigation.csv", plan)
    write_trajectories(folder / "trajectories", plan)
    write_meshes(folder / "meshes", plan, spine)
    return () if labels is None else write_segmentation(folder, labels)


def write_trajectories(folder: Path, plan: Plan) -> None:
    """Write one 3D Slicer line per trajectory, named by level and side."""
    folder.mkdir(exist_ok=True)
    for level in plan.levels:
        for trajectory in level.trajectories:
            line = Line(
                name=f"{level.level} {trajectory.side}",
                entry_mm=trajectory.entry_mm,
                target_mm=trajectory.target_mm,
                outer_diameter_mm=trajectory.outer_diameter_mm,
            )
            write_line(folder / f"{level.level}_{trajectory.side}{SUFFIX}", line)


def write_meshes(folder: Path, plan: Plan, spine: Spine) -> None:
    """Write the planned levels: each surface as STL, each level whole as GLB and 3MF."""
    folder.mkdir(exist_ok=True)
    for level in plan.levels:
        meshes = level_solids(spine, level)
        for mesh in meshes:
            write_stl(folder / f"{mesh.name.replace(' ', '_')}_LPS.stl", mesh)
        write_glb(folder / f"{level.level}_plan_LPS.glb", meshes)
        write_3mf(folder / f"{level.level}_plan_LPS.3mf", meshes)


def write_segmentation(folder: Path, labels: LabelMap) -> tuple[Notice, ...]:
    """Write the vertebrae with their names; a tilted stack, which NRRD cannot hold, as NIfTI."""
    try:
        write_volume(labels, folder / "segmentation.seg.nrrd")
    except GeometryError:
        write_volume(labels, folder / "segmentation.nii.gz")
        return (
            Notice(
                code="segmentation_as_nifti",
                severity=Severity.INFO,
                level=None,
                text="a tilted stack does not fit into .seg.nrrd: segmentation.nii.gz was written",
                remedy="none needed: 3D Slicer opens it as a label map",
            ),
        )
    return ()
