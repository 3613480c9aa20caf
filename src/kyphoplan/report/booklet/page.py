"""The booklet as one page that asks no network and prints in black and white."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kyphoplan import __version__
from kyphoplan.report.booklet import mine
from kyphoplan.report.booklet.bones import AGAINST, bone_views
from kyphoplan.report.booklet.catalogue import Catalogue, catalogue
from kyphoplan.report.booklet.citing import in_order, numbered
from kyphoplan.report.booklet.history import day, history, shown
from kyphoplan.report.booklet.ipdas import checks
from kyphoplan.report.booklet.risks import benefit_grids, risk_views
from kyphoplan.report.booklet.told import Told
from kyphoplan.report.page import environment

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
NAME = "patient"


def write_booklet(folder: Path, told: Told, *, language: str = "en") -> None:
    """Write ``patient.html`` into an existing folder."""
    page = booklet_page(told, language=language)
    (folder / f"{NAME}.html").write_text(page, encoding="utf-8")


def booklet_page(told: Told, *, language: str = "en") -> str:
    """Return the patient's booklet: one file that holds its drawings and asks no network.

    All text of the record is escaped: it can name no markup. The page is made anew when it is
    known what it cites and which checks it passes.

    Raises
    ------
    ValueError
        If there is no catalogue of that language.
    """
    words = catalogue(language)
    shown = _shown(replace(told, assessment=told.assessed), words)
    template = environment().get_template("booklet.html")
    first = template.render(**shown, checks=[], cited=[])
    cited = in_order(first)
    page = template.render(**shown, checks=[], cited=cited)
    page = template.render(**shown, checks=checks(page, shown["date"]), cited=cited)
    return numbered(page, cited)


def _shown(told: Told, words: Catalogue) -> dict[str, Any]:
    """Return all that the template shows."""
    assessed = told.assessed
    own, everybody = mine.questions(assessed, words)
    named, more = mine.gaps(assessed, words)
    return {
        "w": words,
        "told": told,
        "assessed": assessed,
        "own_plan": assessed.verdict not in AGAINST,
        "bones": bone_views(told, words),
        "risks": risk_views(assessed.risks, words),
        "little_pain": benefit_grids(words),
        "against": mine.against(assessed, words),
        "gaps": named,
        "more_gaps": more,
        "medicines": mine.medicines(assessed.readiness.medicines, words),
        "own_questions": own,
        "questions": everybody,
        "history": history(told.patient, words),
        "shown": lambda value: shown(value, words),
        "reasons": lambda items: mine.reasons(items, words),
        "date": day(told.made_on, words),
        "version": __version__,
        "policy": POLICY,
        "foot": foot(told, words),
    }


def foot(told: Told, words: Catalogue) -> Markup:
    """Return the line of every printed page as a string of CSS."""
    line = words.text("page.foot", version=__version__, date=day(told.made_on, words))
    sums = " · ".join(
        f"{words.text(f'page.roles.{role}')} {digest[:12]}"
        for role, digest in told.check_sums.items()
    )
    text = f"{line}\n{sums}" if sums else line
    safe = "".join(c if c.isalnum() or c in " .,:·-" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{safe}"')
