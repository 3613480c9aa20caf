"""Draw the pictures of the documentation from the phantom: `python docs/images/make.py`."""

from pathlib import Path

import kyphoplan as kp
from kyphoplan.report.overview import draw_overview
from kyphoplan.report.sagittal import draw_fracture

HERE = Path(__file__).parent
DOTS_PER_INCH = 100


def main() -> None:
    """Measure a wedge of L1 and draw it."""
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.45, middle_loss=0.25)
    scan = kp.scan(kp.Phantom(collapses=(wedge,)))
    spine = kp.locate(scan.labels, scan.ct)
    figures = kp.measure(spine, scan.ct)
    fracture = draw_fracture(spine, figures, kp.Level.L1, scan.ct)
    fracture.savefig(HERE / "fracture.png", dpi=DOTS_PER_INCH)
    overview = draw_overview(spine, figures, scan.ct)
    overview.savefig(HERE / "overview.png", dpi=DOTS_PER_INCH)


if __name__ == "__main__":
    main()
