"""Press a phantom's L1 ever flatter, measure it, and compare with the truth."""

import kyphoplan as kp

LOSSES = (0.0, 0.30, 0.50)  # [1] of the anterior height
LEVELS = (kp.Level.T12, kp.Level.L1, kp.Level.L2)


def main() -> None:
    """Print the true and the measured height loss of L1."""
    print("true loss [%]   measured [%] (95 % interval)   grade")
    for loss in LOSSES:
        wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=loss, middle_loss=loss / 2)
        scan = kp.scan(kp.Phantom(levels=LEVELS, collapses=(wedge,)))
        figures = kp.measure(kp.locate(scan.labels, scan.ct), scan.ct)
        row = figures["L1"]
        found = row.height_loss
        print(
            f"L1 {100 * loss:9.0f}   {found.value:8.1f} ({found.low:.1f} to {found.high:.1f})"
            f"   {row.genant.grade} {row.genant.shape}"
        )


if __name__ == "__main__":
    main()
