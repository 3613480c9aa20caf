"""The risks as pictures of a thousand boxes with the same in words, and the rest as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kyphoplan.case import Risk
from kyphoplan.report.booklet.catalogue import Catalogue
from kyphoplan.report.booklet.grid import boxes, icon_grid

# What is shown as a picture; the rest stands in the table. Where the setting is known, the deaths
# of that setting take the place of those of all.
PICTURED = (
    "heart_attack", "cardiac_arrest", "stroke", "pulmonary_embolism", "death", "readmission",
    "leak_any_ct", "cement_lung_ct", "cement_lung_symptomatic", "cement_canal", "cord_or_nerve",
    "sepsis", "next_fracture_1y",
)  # fmt: skip
# Of whom and when, where nothing else is said: BMCSurg2019, as the chapter's beginning says.
DEFAULT = ("one level, US register 2012 to 2014", "30 days")
SMALL = 0.95  # [in 1,000] what is less keeps a decimal
# VAPOUR, Clark and others 2016: pain below 4 of 10 after 14 days, 44 % and 21 % [in 1,000].
LITTLE_PAIN = {"with": 440.0, "without": 210.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """One risk as the booklet shows it.

    Attributes
    ----------
    group : its heading.
    grid : the picture; empty for a row of the table.
    count, range, of : in 1,000 of what, and the 95 % interval (empty if none was printed).
    line : the same as a sentence.
    about : of whom, when, by what it was seen, and what else must be known.
    """

    group: str
    title: str
    grid: Markup
    count: str
    range: str
    of: str
    line: Markup
    about: Markup


def risk_views(risks: Sequence[Risk], words: Catalogue) -> list[RiskView]:
    """Return the views of all risks, in the given order."""
    return [_view(risk, words) for risk in risks]


def benefit_grids(words: Catalogue) -> tuple[Markup, Markup]:
    """Return the two pictures of little pain after 14 days: with cement, with a fake treatment."""
    pictures = []
    for key in ("with", "without"):
        count = LITTLE_PAIN[key]
        said = words.text(f"good.grid_{key}", count=words.number(count))
        pictures.append(icon_grid(count, None, said))
    return pictures[0], pictures[1]


def _view(risk: Risk, words: Catalogue) -> RiskView:
    title = words.text(f"risk.{risk.key}.title")
    of = words.text(f"risk_of.{risk.of}")
    count = _figure(risk.per_1000, words)
    span = ""
    if risk.low is not None and risk.high is not None:
        low, high = (_figure(x, words) for x in (risk.low, risk.high))
        span = words.text("format.range", low=low, high=high)
    key = "risks.line" if span else "risks.line_point"
    line = words.say(key, count=count, of=of, range=span)
    grid = Markup()
    if risk.key in PICTURED or (risk.matched and risk.key.startswith("death")):
        grid = icon_grid(risk.per_1000, risk.high, f"{title}. {line.striptags()}")
        rest = words.number(1000 - boxes(risk.per_1000))
        line = line + " " + words.say("risks.not_hit", rest=rest)
    return RiskView(
        group=words.text(f"risk_groups.{risk.group.name}"),
        title=title,
        grid=grid,
        count=count,
        range=span,
        of=of,
        line=line,
        about=_about(risk, words),
    )


def _about(risk: Risk, words: Catalogue) -> Markup:
    """Return who was looked at, when, by what it was seen, a note, and the source."""
    said = []
    if (risk.population, risk.window) == DEFAULT:
        said += [] if risk.key in PICTURED else [words.say("risks.as_above")]
    else:
        who = words.text(f"risk_people.{risk.population}")
        when = words.text(f"risk_window.{risk.window}")
        said.append(words.say("risks.who", people=who, window=when))
    if risk.detector:
        said.append(words.say("risks.seen", detector=words.text(f"risk_seen.{risk.detector}")))
    if words.has(f"risk.{risk.key}.note"):
        said.append(words.say(f"risk.{risk.key}.note"))
    said.append(words.cite(risk.source, risk.provenance))
    return Markup(" ").join(said)


def _figure(value: float, words: Catalogue) -> str:
    """Return a count in 1,000 as it is read: a small one keeps a decimal, so that it is not 0."""
    return words.number(value, 1 if 0.0 < value < SMALL else 0)
