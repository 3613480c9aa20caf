"""When a surgeon stops because of a leak, and how likely each leak is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

from kyphoplan.case import Confidence, Measure, VertebraMeasures
from kyphoplan.case.filling import LEAKS, POSTERIOR, VENOUS, Ending, Filling, Site

SEEN_ML = 0.1  # [ml] of cement outside the bone that fluoroscopy shows; assumed
CT_SEEN_ML = 0.002  # [ml] beyond the bone that CT shows afterwards: a ball of 1.6 mm, which stands
# clear of the blur of bone, some 1 mm. Cement, of 2000 HU and more with its barium (assumed),
# would show from a sixth of that: smeared over 1 mm in the plane and slices of 2 mm, 2.3 mm3, a
# third of a mm3 still is 300 HU above what lies around. Assumed; from 0.0005 to 0.01 can be argued
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
    seen_ml: float = CT_SEEN_ML,
) -> dict[Site, Measure]:
    """Return how often CT would show each leak over draws of what is uncertain, with its interval.

    The interval is Jeffreys' for a binomial share: it covers the number of draws, not what the
    draws leave out. The share is that of the fillings that were computed; the interval holds
    whatever those whose flow was not found might have been, and the reason says how many they
    are. Where gaps of the shell could not be judged, leaks through them have no probability
    unless one was seen: never having drawn a gap that nobody could see proves nothing.

    Parameters
    ----------
    measures : of the vertebra, which say whether its shell could be judged; None if unknown.
    seen_ml : least volume that counts [ml].

    Examples
    --------
    >>> leak_probabilities([])[Site.DISC].value is None
    True
    """
    blind = _blind(measures)
    return {
        site: _share(fillings, (site,), blind if site in THROUGH_GAPS else "", seen_ml)
        for site in LEAKS
    }


def any_leak(
    fillings: Sequence[Filling],
    measures: VertebraMeasures | None = None,
    seen_ml: float = CT_SEEN_ML,
) -> Measure:
    """Return how often CT would show a leak, wherever; see `leak_probabilities`."""
    return _share(fillings, LEAKS, _blind(measures), seen_ml)


def _blind(measures: VertebraMeasures | None) -> str:
    """Say why the gaps of the shell are not known; empty if they are."""
    return "not measured" if measures is None else measures.cortical_gaps_reason


def _share(
    fillings: Sequence[Filling], sites: Collection[Site], blind: str, seen_ml: float
) -> Measure:
    """Return the share of draws with a leak at one of some sites, or why there is none."""
    whole = [filling for filling in fillings if not filling.failed]
    hits = sum(any(f.beyond_ml(site) >= seen_ml for site in sites) for f in whole)
    draws, failed = len(whole), len(fillings) - len(whole)
    if not whole:
        return Measure.unknown("1", "no draw was computed to its end")
    if blind and not hits:
        return Measure.unknown("1", f"gaps of the shell: {blind}")
    without = f"; of {failed} more the flow was not found: counted in the interval only"
    return Measure(
        value=hits / draws,
        low=share_of(hits, draws + failed)[0],
        high=share_of(hits + failed, draws + failed)[1],
        unit="1",
        confidence=Confidence.LOW,
        reason=f"{hits} of {draws} draws with {seen_ml:g} ml or more beyond the bone"
        f"{without if failed else ''}; {WEAKNESS}",
    )


def share_of(hits: int, draws: int) -> tuple[float, float]:
    """Return Jeffreys' interval of a share of draws [1].

    Examples
    --------
    >>> low, high = share_of(0, 20)
    >>> low, round(high, 2)
    (0.0, 0.12)
    """
    tail = 0.5 * (1.0 - INTERVAL)
    low, high = (
        float(betaincinv(hits + 0.5, draws - hits + 0.5, part)) for part in (tail, 1.0 - tail)
    )
    share = hits / draws
    return min(low, share) if hits else 0.0, max(high, share) if hits < draws else 1.0
