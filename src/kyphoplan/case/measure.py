"""One measured figure: value, interval, unit, confidence, and the reason of both."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How far a figure may be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure with its 95 % interval, or an honest "cannot tell".

    Attributes
    ----------
    value, low, high : the figure and its 95 % interval, or None all three.
    unit : "mm", "deg", "%", "ml", "mm2", "HU", "mg/cm3" or "1".
    confidence : trust in the figure; ``none`` if and only if the value is None.
    reason : why there is no value, or else where the interval comes from.

    Raises
    ------
    ValueError
        If a value stands without an ordered, finite interval around it, or nothing without reason.

    Examples
    --------
    >>> Measure.of(24.1, 0.2, "mm", "voxel size 1.0 mm").high
    24.492
    >>> Measure.unknown("mm", "cropped: cut by the field of view").value is None
    True
    """

    value: float | None
    low: float | None
    high: float | None
    unit: str
    confidence: Confidence
    reason: str

    def __post_init__(self) -> None:
        """Check that no number goes without its interval and no gap without its reason."""
        numbers = (self.low, self.value, self.high)
        if not self.reason:
            raise ValueError("a measure needs a reason: say where its interval comes from")
        if self.value is None:
            if numbers != (None, None, None) or self.confidence is not Confidence.NONE:
                raise ValueError("a measure without value has no interval and confidence none")
            return
        if not all(n is not None and math.isfinite(n) for n in numbers):
            raise ValueError(f"measure {numbers}: value and interval must be finite numbers")
        if not self.low <= self.value <= self.high:  # type: ignore[operator]
            raise ValueError(f"measure {numbers}: the value must lie in its interval")
        if self.confidence is Confidence.NONE:
            raise ValueError("a measure with a value needs a confidence above none")

    @classmethod
    def of(
        cls,
        value: float,
        sd: float,
        unit: str,
        reason: str,
        *,
        confidence: Confidence = Confidence.HIGH,
        lowest: float = -math.inf,
        highest: float = math.inf,
    ) -> "Measure":
        """Build a figure from its standard uncertainty; the interval is value +- 1.96 sd.

        ``lowest`` and ``highest`` bound what is possible (a length is not negative).
        """
        value = float(min(max(value, lowest), highest))
        low, high = value - Z95 * sd, value + Z95 * sd
        return cls(
            value=value,
            low=float(max(low, lowest)),
            high=float(min(high, highest)),
            unit=unit,
            confidence=confidence,
            reason=reason,
        )

    @classmethod
    def unknown(cls, unit: str, reason: str) -> "Measure":
        """Build the absence of a figure, with its reason."""
        return cls(
            value=None, low=None, high=None, unit=unit, confidence=Confidence.NONE, reason=reason
        )

    @property
    def sd(self) -> float:
        """Standard uncertainty read back from the interval; infinite if there is no value."""
        if self.low is None or self.high is None:
            return math.inf
        return (self.high - self.low) / (2.0 * Z95)


Z95 = 1.96  # [1] standard deviations on each side of a normal 95 % interval
