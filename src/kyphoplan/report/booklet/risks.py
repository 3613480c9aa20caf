"""The risks as pictures of a thousand boxes, each with the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kyphoplan.case import Risk
from kyphoplan.report.booklet.catalogue import Catalogue
from kyphoplan.report.booklet.grid import boxes, icon_grid


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """One risk as the booklet shows it.

    Attributes
    ----------
    line : the count with its range and of whom, in words.
    window, note : the time looked at, and what else must be known.
    """

    key: str
    title: str
    grid: Markup
    line: Markup
    window: Markup
    note: Markup


def risk_views(risks: Sequence[Risk], words: Catalogue) -> list[RiskView]:
    """Return the views in the given order."""
    return [_view(risk, words) for risk in risks]


def benefit_grids(words: Catalogue) -> tuple[Markup, Markup]:
    """Return the two pictures of little pain after 14 days: with cement, with a fake treatment."""
    pictures = []
    for key in ("with", "without"):
        count = LITTLE_PAIN[key]
        said = words.text(f"good.grid_{key}", count=words.number(count))
        pictures.append(icon_grid(count, None, said))
    return pictures[0], pictures[1]


# VAPOUR, Clark and others 2016: pain below 4 of 10 after 14 days, 44 % and 21 % [in 1,000].
LITTLE_PAIN = {"with": 440.0, "without": 210.0}


def _view(risk: Risk, words: Catalogue) -> RiskView:
    title = words.text(f"risk.{risk.key}.title")
    of = words.text(f"risk_of.{risk.of}")
    count = words.number(risk.per_1000) if risk.per_1000 >= 1.0 else words.text("risks.below_one")
    values = {"title": title, "count": count, "of": of}
    if risk.low is None or risk.high is None:
        line = words.say("risks.line_point", **values)
    else:
        low, high = (words.number(x, 1 if x < 1.0 else 0) for x in (risk.low, risk.high))
        line = words.say("risks.line", low=low, high=high, **values)
    rest = words.number(1000 - boxes(risk.per_1000))
    grid = icon_grid(risk.per_1000, risk.high, line.striptags())
    note = words.say(f"risk.{risk.key}.note") if words.has(f"risk.{risk.key}.note") else Markup()
    return RiskView(
        key=risk.key,
        title=title,
        grid=grid,
        line=line + " " + words.say("risks.not_hit", rest=rest),
        window=words.say(f"risk.{risk.key}.window"),
        note=note,
    )
