"""Draw the pictures of the documentation from the phantom: `python docs/images/make.py`.

The picture of the report is the page itself, in Playwright and Debian's chromium.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import kyphoplan as kp
from kyphoplan.report import draw_fracture, draw_overview, png_of

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
WEBGL = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
WIDTH, HEIGHT = 1100, 1320  # [px]


def main() -> None:
    """Measure and plan a wedge of L1, draw it, and take a picture of its report."""
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.45, middle_loss=0.25)
    scan = kp.scan(kp.Phantom(collapses=(wedge,)))
    spine = kp.locate(scan.labels, scan.ct)
    figures = kp.measure(spine, scan.ct)
    fracture = draw_fracture(spine, figures, kp.Level.L1, scan.ct)
    (HERE / "fracture.png").write_bytes(png_of(fracture))
    (HERE / "overview.png").write_bytes(png_of(draw_overview(spine, figures, scan.ct)))
    with tempfile.TemporaryDirectory() as folder:
        kp.write_plan(folder, kp.plan(spine, figures), figures, spine, scan.ct)
        photograph(Path(folder) / "surgeon.html", HERE / "report.png")


def photograph(page: Path, picture: Path) -> None:
    """Write what the top of a report looks like once its views are drawn."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(WEBGL))
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        view.goto(page.absolute().as_uri())
        view.wait_for_selector("section.viewer[data-viewer=ready]", timeout=90_000)
        view.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
