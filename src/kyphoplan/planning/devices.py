"""Inflatable bone tamps as data: size, rated limits, and where each number comes from.

The makers print the limits on the pack; the pack of the balloon in hand counts, not this table.
"""

from dataclasses import dataclass

BAR_PER_PSI = 0.0689476  # [bar/psi] exact to six digits

IFU_XPANDER = (
    "sizes: Medtronic instructions for use M708348B151E (2017); "
    "volume and pressure: from memory, not seen in print"
)
IFU_XPANDER_II = (
    "sizes: Medtronic instructions for use M708348B164 (2011); "
    "volume and pressure: from memory, not seen in print"
)
SYNFLATE = (
    "sizes and 10 gauge access: AO Foundation approved solutions 2014, Synflate; pre-inflation "
    "profile 3.2 mm: DePuy Synthes surgical technique; volume and pressure: from memory, not "
    "seen in print"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalloonDevice:
    """One inflatable bone tamp.

    Attributes
    ----------
    name : maker's name and size.
    length_mm : nominal length of the empty balloon [mm].
    smallest_cannula_mm : outer diameter of the narrowest cannula it is made for [mm].
    largest_volume_ml, largest_pressure_bar : rated limits [ml], [bar].
    rated : False while the limits have not been seen in print.
    source : where the numbers come from.
    """

    name: str
    length_mm: float
    smallest_cannula_mm: float
    largest_volume_ml: float
    largest_pressure_bar: float
    rated: bool
    source: str


EIGHT_GAUGE_MM = 4.0  # [mm] below the 4.19 mm of stub gauge 8: makers call 4.0 to 4.2 mm "8G"
TEN_GAUGE_MM = 3.3  # [mm] below the 3.40 mm of stub gauge 10: makers call 3.3 to 3.5 mm "10G"


def _device(
    name: str, length: float, cannula: float, volume: float, psi: float, source: str
) -> BalloonDevice:
    return BalloonDevice(
        name=name,
        length_mm=length,
        smallest_cannula_mm=cannula,
        largest_volume_ml=volume,
        largest_pressure_bar=round(psi * BAR_PER_PSI, 1),
        rated="from memory" not in source,
        source=source,
    )


BALLOONS = (  # name, length [mm], cannula [mm], volume [ml], pressure [psi], source
    _device("Kyphon Express 10/2", 10.0, TEN_GAUGE_MM, 3.0, 400.0, IFU_XPANDER),
    _device("Kyphon Express 15/2", 15.0, TEN_GAUGE_MM, 4.0, 400.0, IFU_XPANDER),
    _device("Synflate small", 10.0, TEN_GAUGE_MM, 4.0, 440.0, SYNFLATE),
    _device("Synflate medium", 15.0, TEN_GAUGE_MM, 5.0, 440.0, SYNFLATE),
    _device("Synflate large", 20.0, TEN_GAUGE_MM, 6.0, 440.0, SYNFLATE),
    _device("Kyphon Xpander II 10/3", 10.0, EIGHT_GAUGE_MM, 4.0, 400.0, IFU_XPANDER_II),
    _device("Kyphon Xpander II 15/3", 15.0, EIGHT_GAUGE_MM, 4.0, 400.0, IFU_XPANDER_II),
    _device("Kyphon Xpander II 20/3", 20.0, EIGHT_GAUGE_MM, 6.0, 400.0, IFU_XPANDER_II),
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
