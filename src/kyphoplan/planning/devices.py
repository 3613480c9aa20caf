"""Inflatable bone tamps as data: size, limits, and where each number comes from.

The makers print the limits on the pack; the pack of the balloon in hand counts, not this table.
No public print of a rated volume was found, and of a rated pressure only for another maker's
balloon of the same kind (400 psi: InterV Kyphoplasty Catheter, 510(k) K132620). So all limits here
are unverified, and no more than `UNVERIFIED_ML` is planned with them.
"""

from dataclasses import dataclass

BAR_PER_PSI = 0.0689476  # [bar/psi] exact to six digits

UNVERIFIED_ML = 2.4  # [ml] mean balloon of a side in FREE: 10.1097/BRS.0b013e31828e8e22
UNVERIFIED_PSI = 400.0  # [psi] printed for InterV, a balloon of the same kind: 510(k) K132620

UNVERIFIED = "volume: from memory, not seen in print; pressure: that of InterV, 510(k) K132620"
IFU_XPANDER = f"sizes: Medtronic instructions for use M708348B151E (2017); {UNVERIFIED}"
IFU_XPANDER_II = f"sizes: Medtronic instructions for use M708348B164 (2011); {UNVERIFIED}"
SYNFLATE = (
    "sizes and 10 gauge access: AO Foundation approved solutions 2014, Synflate; pre-inflation "
    f"profile 3.2 mm: DePuy Synthes surgical technique; {UNVERIFIED}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalloonDevice:
    """One inflatable bone tamp.

    Attributes
    ----------
    name : maker's name and size.
    length_mm : nominal length of the empty balloon [mm].
    smallest_cannula_mm : outer diameter of the narrowest cannula it is made for [mm].
    largest_volume_ml, largest_pressure_bar : limits [ml], [bar].
    verified : False while the limits have not been seen in print.
    source : where the numbers come from.
    """

    name: str
    length_mm: float
    smallest_cannula_mm: float
    largest_volume_ml: float
    largest_pressure_bar: float
    verified: bool
    source: str

    @property
    def planned_ml(self) -> float:
        """The most that is planned [ml]: an unverified limit alone plans nothing."""
        return (
            self.largest_volume_ml if self.verified else min(self.largest_volume_ml, UNVERIFIED_ML)
        )


EIGHT_GAUGE_MM = 4.0  # [mm] below the 4.19 mm of stub gauge 8: makers call 4.0 to 4.2 mm "8G"
TEN_GAUGE_MM = 3.3  # [mm] below the 3.40 mm of stub gauge 10: makers call 3.3 to 3.5 mm "10G"


def _unverified(
    name: str, length: float, cannula: float, volume: float, source: str
) -> BalloonDevice:
    return BalloonDevice(
        name=name,
        length_mm=length,
        smallest_cannula_mm=cannula,
        largest_volume_ml=volume,
        largest_pressure_bar=round(UNVERIFIED_PSI * BAR_PER_PSI, 1),
        verified=False,
        source=source,
    )


BALLOONS = (  # name, length [mm], cannula [mm], volume [ml], source
    _unverified("Kyphon Express 10/2", 10.0, TEN_GAUGE_MM, 3.0, IFU_XPANDER),
    _unverified("Kyphon Express 15/2", 15.0, TEN_GAUGE_MM, 4.0, IFU_XPANDER),
    _unverified("Synflate small", 10.0, TEN_GAUGE_MM, 4.0, SYNFLATE),
    _unverified("Synflate medium", 15.0, TEN_GAUGE_MM, 5.0, SYNFLATE),
    _unverified("Synflate large", 20.0, TEN_GAUGE_MM, 6.0, SYNFLATE),
    _unverified("Kyphon Xpander II 10/3", 10.0, EIGHT_GAUGE_MM, 4.0, IFU_XPANDER_II),
    _unverified("Kyphon Xpander II 15/3", 15.0, EIGHT_GAUGE_MM, 4.0, IFU_XPANDER_II),
    _unverified("Kyphon Xpander II 20/3", 20.0, EIGHT_GAUGE_MM, 6.0, IFU_XPANDER_II),
)


def balloons_for(
    cannula_mm: float, devices: tuple[BalloonDevice, ...] = BALLOONS
) -> tuple[BalloonDevice, ...]:
    """Return the balloons that pass a cannula of an outer diameter [mm].

    Examples
    --------
    >>> sorted({device.length_mm for device in balloons_for(3.4)})
    [10.0, 15.0, 20.0]
    >>> balloons_for(2.4)
    ()
    """
    return tuple(device for device in devices if cannula_mm >= device.smallest_cannula_mm)


def balloon_named(
    name: str, devices: tuple[BalloonDevice, ...] = BALLOONS
) -> BalloonDevice | None:
    """Return the balloon of a name; None if it is not in the table.

    Examples
    --------
    >>> balloon_named("Synflate small").length_mm
    10.0
    >>> balloon_named("another") is None
    True
    """
    return next((device for device in devices if device.name == name), None)
