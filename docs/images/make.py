"""Draw the pictures of the documentation from the phantom: `python docs/images/make.py`."""

from pathlib import Path

import kyphoplan as kp
from kyphoplan.report import draw_fracture, draw_overview, png_of

HERE = Path(__file__).parent


def main() -> None:
    """Measure a wedge of L1 and draw it."""
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.45, middle_loss=0.25)
    scan = kp.scan(kp.Phantom(collapses=(wedge,)))
    spine = kp.locate(scan.labels, scan.ct)
    figures = kp.measure(spine, scan.ct)
    fracture = draw_fracture(spine, figures, kp.Level.L1, scan.ct)
    (HERE / "fracture.png").write_bytes(png_of(fracture))
    (HERE / "overview.png").write_bytes(png_of(draw_overview(spine, figures, scan.ct)))


if __name__ == "__main__":
    main()
