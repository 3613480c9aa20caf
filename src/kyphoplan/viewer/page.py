"""A scene as a piece of HTML that holds everything it shows; the only place of the flip to RAS."""

import base64
import gzip
import json
from importlib import resources
from typing import Any

import nibabel as nib
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kyphoplan.case import Volume
from kyphoplan.geometry import Array
from kyphoplan.viewer.scene import Mesh, Scene

# For the page around: nothing is fetched from anywhere.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src data: blob:",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
    )
)
WINDOW_HU = (-200, 1000)  # [HU] the report's bone window
TO_RAS = np.diag([-1.0, -1.0, 1.0])  # LPS to RAS: NiiVue and NIfTI count to right and anterior
TREATED_RGB, NEIGHBOUR_RGB = (204, 121, 167), (130, 150, 170)  # labels laid over the CT
NO_BUNDLE = (
    "This copy of kyphoplan was installed without its interactive viewer (its bundle is built "
    "with 'make setup'): the pictures show the same plan."
)


def page_fragment(scene: Scene) -> str:
    """Return the section of a page that shows a scene, with its script and all its data.

    The page around needs at least the permissions of `CONTENT_POLICY`. When the views are drawn,
    the section's attribute ``data-viewer`` turns from ``loading`` to ``ready`` (``failed`` where
    the browser has no WebGL 2). Without the built bundle a plain sentence stands in its place.
    """
    template = Environment(
        loader=PackageLoader("kyphoplan", "viewer/static"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("viewer.html")
    script = bundle()
    return template.render(
        scene=scene,
        no_bundle=None if script else NO_BUNDLE,
        script=Markup(script or ""),
        data=Markup(_json(_data(scene)) if script else ""),
    )


def bundle() -> str | None:
    """Return the viewer's JavaScript, or None where it was not built."""
    path = resources.files("kyphoplan") / "viewer" / "static" / "viewer.js"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _data(scene: Scene) -> dict[str, Any]:
    colours = [TREATED_RGB if n in scene.treated else NEIGHBOUR_RGB for n in scene.levels]
    return {
        "ct": None if scene.ct is None else nifti(scene.ct),
        "labels": nifti(scene.labels),
        "window_hu": WINDOW_HU,
        "levels": [
            {"name": str(level), "rgb": rgb}
            for level, rgb in zip(scene.levels, colours, strict=True)
        ],
        "meshes": [_mesh(mesh) for mesh in scene.meshes],
        "places": [{"name": p.name, "at": to_ras(p.at_mm).tolist()} for p in scene.places],
    }


def to_ras(positions_mm: Array) -> Array:
    """Turn patient positions (..., 3) [mm, LPS] into [mm, RAS].

    Examples
    --------
    >>> to_ras(np.array([1.0, 2.0, 3.0]))
    array([-1., -2.,  3.])
    """
    return np.asarray(positions_mm, float) @ TO_RAS


def nifti(volume: Volume) -> str:
    """Return a volume as gzipped NIfTI in base64, stored from right-posterior-inferior (RAS)."""
    stored = volume.reordered(TO_RAS)
    affine = stored.affine.copy()
    affine[:3] = TO_RAS @ affine[:3]
    raw = nib.Nifti1Image(stored.voxels, affine).to_bytes()
    return _base64(gzip.compress(raw, compresslevel=6, mtime=0))


def _mesh(mesh: Mesh) -> dict[str, Any]:
    return {
        "name": mesh.name,
        "kind": str(mesh.kind),
        "points": _base64(np.ascontiguousarray(to_ras(mesh.points_mm), "<f4").tobytes()),
        "triangles": _base64(np.ascontiguousarray(mesh.triangles, "<u4").tobytes()),
        "rgb": [int(mesh.colour[i : i + 2], 16) for i in (1, 3, 5)],
        "opacity": mesh.opacity,
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _json(data: dict[str, Any]) -> str:
    """Return JSON that cannot close the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
