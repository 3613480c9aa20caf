"""The back wall of the body and the canal behind it, by level."""

from kyphoplan.assessment.facts import Facts, Told, exceeds, known, may_exceed, reaches
from kyphoplan.assessment.item import item
from kyphoplan.assessment.neurology import touched
from kyphoplan.case import Answer, GapSite, Level, Measure, Step, Verdict

HASHIMOTO_PCT = {"epiconus": 35.0, "conus": 45.0, "cauda": 55.0}  # [%] PW-1, Hashimoto1988 (M)
DEFICIT_PCT = {"epiconus": 35.3, "conus": 56.0, "cauda": 65.3}  # [%] PW-9, KoreaMed2423730 (S)
NO_DEFICIT_PCT = {"epiconus": 22.0, "conus": 34.5, "cauda": 43.1}  # [%] PW-10, the same (S)
SERIES_PCT = 40.0  # [%] PW-5, most canal compromise treated in Krueger2010 (S)
CORD_PCT = 20.0  # [%] PW-7, above T11 (P)
STEP = Step.ANATOMY
SURGEON = "a spine surgeon's word that the canal is wide enough"


def zone_of(level: Level) -> str:
    """Return what lies in the canal: cord above T11, then epiconus, conus and cauda equina.

    Examples
    --------
    >>> [zone_of(Level.parse(name)) for name in ("T8", "T12", "L1", "L3")]
    ['cord', 'epiconus', 'conus', 'cauda']
    """
    if level < Level.T11:
        return "cord"
    if level < Level.L1:
        return "epiconus"
    return "conus" if level is Level.L1 else "cauda"


def _zone(facts: Facts) -> str:
    assert facts.level is not None  # asked for levels only
    return zone_of(facts.level)


def _compromise(facts: Facts, limits: dict[str, float]) -> Told:
    """Return whether the canal's compromise, or the upper end of its interval, reaches a limit."""
    zone = _zone(facts)
    if zone not in limits:
        return known(False, f"level {facts.level}: other limits hold")
    return facts.measured("canal_compromise", reaches(limits[zone]))


def _limits(limits: dict[str, float]) -> str:
    return ", ".join(f"{zone} {limit:g} %" for zone, limit in limits.items())


@item(
    "PW-1", STEP, Verdict.MDT_REVIEW,
    limit=f"T11-T12 {HASHIMOTO_PCT['epiconus']:g} %", cite=("Hashimoto1988",), provenance="M",
    change=SURGEON,
)  # fmt: skip
def canal_at_epiconus(facts: Facts) -> Told:
    """The canal is as narrow as in injuries with nerve damage."""
    return _compromise(facts, {"epiconus": HASHIMOTO_PCT["epiconus"]})


@item(
    "PW-2", STEP, Verdict.MDT_REVIEW, limit=f"L1 {HASHIMOTO_PCT['conus']:g} %",
    cite=("Hashimoto1988",), provenance="M", change=SURGEON,
)  # fmt: skip
def canal_at_conus(facts: Facts) -> Told:
    """The canal is as narrow as in injuries with nerve damage."""
    return _compromise(facts, {"conus": HASHIMOTO_PCT["conus"]})


@item(
    "PW-3", STEP, Verdict.MDT_REVIEW, limit=f"L2 and below {HASHIMOTO_PCT['cauda']:g} %",
    cite=("Hashimoto1988",), provenance="M", change=SURGEON,
)  # fmt: skip
def canal_at_cauda(facts: Facts) -> Told:
    """The canal is as narrow as in injuries with nerve damage."""
    return _compromise(facts, {"cauda": HASHIMOTO_PCT["cauda"]})


@item(
    "PW-9", STEP, Verdict.MDT_REVIEW, limit=_limits(DEFICIT_PCT), cite=("KoreaMed2423730",),
    provenance="S", change=SURGEON,
)  # fmt: skip
def canal_with_deficits(facts: Facts) -> Told:
    """The canal is as narrow as in bursts that damaged nerves: a spine surgeon is asked whether
    it must be opened (decompression by laminectomy or laminotomy).
    """
    return _compromise(facts, DEFICIT_PCT)


@item(
    "CI-R2", Step.RELATIVE, Verdict.MDT_REVIEW, limit=f"above {_limits(NO_DEFICIT_PCT)}",
    cite=("LCD", "ACRpp2017", "KoreaMed2423730"), provenance="S2,S", change=SURGEON,
)  # fmt: skip
def silent_compromise(facts: Facts) -> Told:
    """Bone narrows the canal, more than in bursts that all left the nerves sound: a spine surgeon
    is asked about decompression (laminectomy or laminotomy).
    """
    return _beyond_band(facts)


def _beyond_band(facts: Facts) -> Told:
    """Return whether the canal is narrower than the band without deficits, which holds its end."""
    zone = _zone(facts)
    if zone not in NO_DEFICIT_PCT:
        return known(False, f"level {facts.level}: other limits hold")
    return facts.measured("canal_compromise", may_exceed(NO_DEFICIT_PCT[zone]))


@item(
    "PW-5", STEP, Verdict.CONDITIONAL,
    limit=f"bone moved back, nerves sound, canal compromise up to {SERIES_PCT:g} %",
    cite=("Krueger2010", "Perez2021"), provenance="S", change="a back wall that did not move",
)  # fmt: skip
def moved_back(facts: Facts) -> Told:
    """The back wall moved, the nerves are sound: series did this (97 patients with a mean
    narrowing of 15 %, leak in 47 %, none with symptoms; 98 patients, leak in 9 %, no nerve hurt).
    Only with good imaging, and with somebody at hand who can decompress.
    """
    return ~touched(facts) & facts.measured("retropulsion", exceeds(0.0)) & ~_beyond(facts)


def _beyond(facts: Facts) -> Told:
    return facts.measured("canal_compromise", lambda m: _upper(m) > SERIES_PCT)


def _upper(measure: Measure) -> float:
    return measure.high or 0.0


@item(
    "PW-6", STEP, Verdict.MDT_REVIEW, limit=f"above {SERIES_PCT:g} %", cite=(), provenance="P",
    change=SURGEON,
)  # fmt: skip
def beyond_series(facts: Facts) -> Told:
    """The canal is narrower than in any series of this procedure."""
    return _beyond(facts)


@item(
    "PW-7", STEP, Verdict.MDT_REVIEW, limit=f"above T11: bone moved back and {CORD_PCT:g} %",
    cite=(), provenance="P", change=SURGEON,
)  # fmt: skip
def beside_the_cord(facts: Facts) -> Told:
    """The canal is narrowed beside the cord, where no limit for this procedure was found."""
    if _zone(facts) != "cord":
        return known(False, f"level {facts.level}: other limits hold")
    return facts.measured("canal_compromise", lambda m: _upper(m) > CORD_PCT)


@item(
    "PW-10", Step.NOTES, Verdict.INFO, limit=f"nerves sound, up to {_limits(NO_DEFICIT_PCT)}",
    cite=("KoreaMed2423730",), provenance="S", change="",
)  # fmt: skip
def below_alert(facts: Facts) -> Told:
    """In bursts that narrowed the canal no more than this, no nerve was damaged (64 patients)."""
    if _zone(facts) not in NO_DEFICIT_PCT:
        return known(False, f"level {facts.level}: no such band")
    return ~touched(facts) & ~_beyond_band(facts)


@item(
    "PW-11", Step.NOTES, Verdict.INFO, limit="any narrowing", cite=("Mohanty2008",),
    provenance="S", change="",
)  # fmt: skip
def examine(facts: Facts) -> Told:
    """How narrow the canal is does not tell how the nerves do: examine the patient."""
    return facts.measured("canal_compromise", exceeds(0.0))


def back_wall_broken(facts: Facts) -> Told:
    """Return whether the back wall is broken: moved, or with a gap."""
    return facts.measured("retropulsion", exceeds(0.0)) | gap(facts, GapSite.POSTERIOR)


def gap(facts: Facts, *sites: GapSite) -> Told:
    """Return whether the cortex has a gap at one of these places."""
    figures = facts.figures
    if figures is None:
        return Told(Answer.UNKNOWN, "cortex: not measured", ("image: cortical gaps",))
    found = [g.site.value for g in figures.cortical_gaps if g.site in sites]
    if not found and figures.cortical_gaps_reason:
        words = f"cortex: {figures.cortical_gaps_reason}"
        return Told(Answer.UNKNOWN, words, ("image: cortical gaps",))
    return known(bool(found), f"gap: {', '.join(dict.fromkeys(found)) or 'none'}")


@item(
    "KU-1", Step.NOTES, Verdict.INFO, limit="gas or fluid in the body", cite=("PMC3669703",),
    provenance="M", change="",
)  # fmt: skip
def cleft(facts: Facts) -> Told:
    """There is a cleft in the body."""
    return _cleft(facts)


def _cleft(facts: Facts) -> Told:
    levels = facts.patient.mri.cleft_at
    seen = (
        Told(Answer.UNKNOWN, "mri.cleft_at: not known", ("mri.cleft_at",))
        if levels is None
        else known(facts.level in levels, f"cleft on MRI: {', '.join(map(str, levels)) or 'none'}")
    )
    return facts.measured("cleft_volume", exceeds(0.0)) | seen


@item(
    "KU-2", STEP, Verdict.EMERGENCY_REFER,
    limit="cleft, broken back wall, cord pressed (stage III)",
    cite=("Li2004",), provenance="M", change="an MRI that shows the cord free",
)  # fmt: skip
def kummell_three(facts: Facts) -> Told:
    """A cleft with a broken back wall and a pressed cord (Kümmell III): decompression and
    fixation.
    """
    return _cleft(facts) & back_wall_broken(facts) & facts.says("mri.cord_compressed")


@item(
    "KU-3", Step.NOTES, Verdict.INFO, limit="cleft", cite=("PMC3669703",), provenance="S",
    change="",
)  # fmt: skip
def cleft_hurts(facts: Facts) -> Told:
    """With a cleft, pain comes with changes of position, and care without operation does
    little.
    """
    return _cleft(facts)


@item(
    "KU-4", Step.NOTES, Verdict.WARN, limit="cleft", cite=("PMC8449924", "Ma2021"),
    provenance="C,S", change="",
)  # fmt: skip
def cleft_recollapses(facts: Facts) -> Told:
    """With a cleft, leaks go through the cortex more often (odds 3.4 times) and through veins less
    (0.29 times); the body sinks again more often (2.97 times, 1.93 to 4.57).
    """
    return _cleft(facts)


OF_LEVEL = (
    canal_at_epiconus,
    canal_at_conus,
    canal_at_cauda,
    canal_with_deficits,
    silent_compromise,
    moved_back,
    beyond_series,
    beside_the_cord,
    below_alert,
    examine,
    cleft,
    kummell_three,
    cleft_hurts,
    cleft_recollapses,
)
