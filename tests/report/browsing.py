"""A page opened in a browser, and what it did meanwhile."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import Page

from kyphoplan.viewer.page import bundle

WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
QUIET = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking")
READY = "section.viewer[data-viewer=ready]"
PATIENCE_MS = 90_000  # [ms] two shared cores draw without a graphics card
SERIOUS = {"serious", "critical"}


@dataclass(frozen=True)
class Opened:
    """The page, and what it did while it opened."""

    page: Page
    requests: list[str]
    complaints: list[str]


def visit(page: Page, address: str) -> Opened:
    """Open a page and wait until its views are drawn."""
    seen = Opened(page=page, requests=[], complaints=[])
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda said: seen.complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(address)
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    return seen


def picture_of(page: Page, canvas: str) -> np.ndarray[Any, Any]:
    """Return what a canvas shows (H, W, 3), from 0 to 1."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    png = page.locator(f"canvas.{canvas}").screenshot()
    return np.asarray(imread(io.BytesIO(png), format="png"))[..., :3]


def serious_faults(page: Page, root: Path) -> list[tuple[str, str]]:
    """Return what axe-core finds serious or worse; skip where axe-core was not installed."""
    return [(v["id"], _first(v)) for v in _violations(page, root) if v["impact"] in SERIOUS]


def faults(page: Page, root: Path) -> list[tuple[str, str]]:
    """Return all that axe-core finds, however slight; skip where axe-core was not installed."""
    return [(v["id"], _first(v)) for v in _violations(page, root)]


def _first(violation: dict[str, Any]) -> str:
    return str(violation["nodes"][0]["html"][:120])


def _violations(page: Page, root: Path) -> list[dict[str, Any]]:
    axe = root / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core was not installed: run `npm ci` in frontend/")
    page.evaluate(axe.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(result => result.violations)")
    return found


def needs_bundle() -> None:
    """Skip where the viewer's bundle was not built."""
    if bundle() is None:
        pytest.skip("the viewer's bundle was not built: run `make setup`")
