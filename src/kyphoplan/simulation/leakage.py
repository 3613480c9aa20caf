"""When a surgeon stops because of a leak, and how likely each leak is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from kyphoplan.case import Confidence, Measure, VertebraMeasures
from kyphoplan.case.filling import LEAKS, POSTERIOR, VENOUS, Ending, Filling, Site

SEEN_ML = 0.1  # [ml] of cement outside the bone that fluoroscopy shows; assumed
THROUGH_GAPS = (Site.CORTICAL, Site.DISC, Site.CANAL)
WEAKNESS = "the model leaks less often than patients do: 0 is no all-clear"
INTERVAL = 0.95  # [1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """When the filling is stopped before its volume is in.

    Attributes
    ----------
    pressure_mpa : at a port, over the resting pressure of the marrow [MPa].
    posterior_ml, venous_ml, leak_ml : leaked through the posterior wall, into veins, at all [ml].
    """

    pressure_mpa: float = float("inf")
    posterior_ml: float = SEEN_ML
    venous_ml: float = SEEN_ML
    leak_ml: float = float("inf")

    def __post_init__(self) -> None:
        """Refuse limits that stop before anything happens."""
        for name in ("pressure_mpa", "posterior_ml", "venous_ml", "leak_ml"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}: a limit must be above 0")

    def reached(self, leaked_ml: dict[Site, float]) -> Ending | None:
        """Say whether leaks of these volumes [ml] end the filling.

        Examples
        --------
        >>> Stops().reached({Site.CANAL: 0.2}).value
        'stopped at the first posterior leak'
        """
        for ending, sites, limit in (
            (Ending.POSTERIOR, POSTERIOR, self.posterior_ml),
            (Ending.VENOUS, VENOUS, self.venous_ml),
            (Ending.LEAK, LEAKS, self.leak_ml),
        ):
            if sum(leaked_ml.get(site, 0.0) for site in sites) >= limit:
                return ending
        return None


USUAL_STOPS = Stops()
NO_STOPS = Stops(posterior_ml=float("inf"), venous_ml=float("inf"))


def leak_probabilities(
    fillings: Sequence[Filling],
    measures: VertebraMeasures | None = None,
    seen_ml: float = SEEN_ML,
) -> dict[Site, Measure]:
    """Return how often each leak is seen over draws of what is uncertain, with its interval.

    The interval is Jeffreys' for a binomial share: it covers the number of draws, not what the
    draws leave out. Failed fillings do not count. Where gaps of the shell could not be judged,
    leaks through them have no probability unless one was seen: never having drawn a gap that
    nobody could see proves nothing.

    Parameters
    ----------
    measures : of the vertebra, which say whether its shell could be judged; None if unknown.

    Examples
    --------
    >>> leak_probabilities([])[Site.DISC].value is None
    True
    """
    whole = [filling for filling in fillings if not filling.failed]
    if not whole:
        return {site: Measure.unknown("1", "no draw was computed to its end") for site in LEAKS}
    blind = "not measured" if measures is None else measures.cortical_gaps_reason
    shares = {}
    for site in LEAKS:
        hits = sum(filling.at(site) >= seen_ml for filling in whole)
        if blind and site in THROUGH_GAPS and not hits:
            shares[site] = Measure.unknown("1", f"gaps of the shell: {blind}")
        else:
            shares[site] = _share(hits, len(whole), seen_ml)
    return shares


def _share(hits: int, draws: int, seen_ml: float) -> Measure:
    tail = 0.5 * (1.0 - INTERVAL)
    low, high = (
        float(betaincinv(hits + 0.5, draws - hits + 0.5, part)) for part in (tail, 1.0 - tail)
    )
    value = hits / draws
    return Measure(
        value=value,
        low=min(low, value) if hits else 0.0,
        high=max(high, value) if hits < draws else 1.0,
        unit="1",
        confidence=Confidence.LOW,
        reason=f"{hits} of {draws} draws with {seen_ml:g} ml or more; {WEAKNESS}",
    )


def sites_seen(filling: Filling, seen_ml: float = SEEN_ML) -> tuple[Site, ...]:
    """Name the leaks that would be seen, largest first."""
    return tuple(site for site, ml in filling.leaks_ml.items() if ml >= seen_ml)


def mean_went_ml(fillings: Sequence[Filling]) -> dict[Site, float]:
    """Return the mean volume at each site [ml]."""
    whole = [filling for filling in fillings if not filling.failed]
    return {site: float(np.mean([f.at(site) for f in whole])) if whole else 0.0 for site in Site}
