"""What in this patient's images makes a leak of cement more likely; shown beside the rates.

The odds come from different studies and detectors: they are never multiplied into the rates.
"""

from kyphoplan.assessment.canal import back_wall_broken, gap
from kyphoplan.assessment.facts import Facts, Told, any_told, counted, exceeds, known
from kyphoplan.assessment.item import item
from kyphoplan.case import GapSite, Step, Verdict

MANY_LEVELS = 3  # [levels] LK-5, JOSR2472 (S)
STEP = Step.NOTES


@item(
    "LK-1", STEP, Verdict.WARN, limit="a gap in the cortex", cite=("Zhan2017",), provenance="S",
    change="",
)  # fmt: skip
def broken_cortex(facts: Facts) -> Told:
    """The cortex is broken: leaks are more frequent (odds 5.56 times, 1.84 to 16.81). Thick
    cement, small amounts, pauses.
    """
    return gap(facts, *GapSite)


@item(
    "LK-2", STEP, Verdict.WARN, limit="a cleft", cite=("PMC8449924",), provenance="S,C", change=""
)
def leak_through_cleft(facts: Facts) -> Told:
    """With a cleft, cement leaks more through cortex and disc, and less through veins."""
    return facts.measured("cleft_volume", exceeds(0.0))


@item(
    "LK-5", STEP, Verdict.WARN, limit=f"{MANY_LEVELS} levels or more", cite=("JOSR2472",),
    provenance="S", change="fewer levels in one session",
)  # fmt: skip
def cement_to_lung(facts: Facts) -> Told:
    """Cement reaches the lung more often when many levels are filled (odds 2.41 times, 1.02 to
    5.72).
    """
    count = len(facts.levels)
    return known(count >= MANY_LEVELS, counted(count))


@item(
    "LK-6", STEP, Verdict.WARN, limit="thoracic level, broken back wall", cite=("JOSR1459",),
    provenance="S", change="",
)  # fmt: skip
def leak_beside_cord(facts: Facts) -> Told:
    """Beside the cord a leak into the canal is dangerous: of 9 thoracic leaks into the canal 3
    needed an operation, of 17 lumbar ones 1 (vertebroplasty).
    """
    thoracic = facts.level is not None and facts.level.region == "thoracic"
    return known(thoracic, f"level {facts.level}") & back_wall_broken(facts)


@item(
    "LK-8", STEP, Verdict.WARN, limit="a gap in the upper endplate", cite=("BMC3810",),
    provenance="S", change="",
)  # fmt: skip
def leak_into_disc(facts: Facts) -> Told:
    """The upper endplate is broken: cement may enter the disc, and the next vertebra then breaks
    more often.
    """
    return gap(facts, GapSite.SUPERIOR)


OF_PATIENT = (cement_to_lung,)
OF_LEVEL = (broken_cortex, leak_through_cleft, leak_beside_cord, leak_into_disc)


def any_path(facts: Facts) -> Told:
    """Return whether the images show a way to the canal or the cortex broken anywhere."""
    return any_told(gap(facts, *GapSite), back_wall_broken(facts))
