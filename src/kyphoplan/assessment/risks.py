"""How often things went wrong, per 1,000, each with its interval, window, population and source.

The rates are those of studies. Nothing of this patient is multiplied into them.
"""

import math
from dataclasses import dataclass

from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Patient, Risk, RiskGroup

Z95 = 1.959963985  # [1] standard deviations of a 95 % interval (C)
HEART, LUNGS, CEMENT = RiskGroup.HEART_AND_BRAIN, RiskGroup.LUNGS, RiskGroup.CEMENT
NERVES, BONE, GENERAL = RiskGroup.NERVES, RiskGroup.BONE, RiskGroup.GENERAL
NSQIP = "one level, US register 2012 to 2014"
PVP = "vertebroplasty, not balloon kyphoplasty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Events among people or levels, as a study printed them."""

    key: str
    group: RiskGroup
    title: str
    events: int
    total: int
    cite: str
    window: str = "30 days"
    population: str = NSQIP
    of: str = "people"
    detector: str = ""
    note: str = ""
    provenance: str = "S,C"


def _nsqip(key: str, group: RiskGroup, title: str, events: int, note: str = "") -> Count:
    return Count(
        key=key, group=group, title=title, events=events, total=2248, cite="BMCSurg2019", note=note
    )


COUNTS = (
    _nsqip("heart_attack", HEART, "Heart attack", 7),
    _nsqip("cardiac_arrest", HEART, "Cardiac arrest", 5),
    _nsqip("stroke", HEART, "Stroke", 3),
    Count(key="arrest_in_room", group=HEART, title="Cardiac arrest during the procedure", events=1,
          total=372, cite="PMC3395994", window="during the procedure", population="one series"),
    _nsqip("pulmonary_embolism", LUNGS, "Clot in the lung (pulmonary embolism)", 15),
    _nsqip("leg_clot", LUNGS, "Clot in a leg vein", 11),
    _nsqip("pneumonia", LUNGS, "Pneumonia", 25),
    _nsqip("intubation", LUNGS, "Tube into the windpipe, not planned", 15),
    _nsqip("death", GENERAL, "Death from any cause", 42,
           "includes people with cancer and in hospital"),
    Count(key="death_same_day", group=GENERAL, title="Death, if home the same day", events=7,
          total=1023, cite="Shin2023", population="home the same day",
          note="count worked out from the printed 0.68 %"),
    Count(key="death_admitted", group=GENERAL, title="Death, if admitted that day", events=3,
          total=503, cite="Shin2023", population="admitted on the day",
          note="count worked out from the printed 0.60 %"),
    Count(key="death_inpatient", group=GENERAL, title="Death, if in hospital before", events=4,
          total=149, cite="Shin2023", population="in hospital before",
          note="count worked out from the printed 2.68 %"),
    _nsqip("readmission", GENERAL, "Back to hospital, not planned", 214),
    Count(key="readmission_same_day", group=GENERAL,
          title="Back to hospital, if home the same day",
          events=64, total=1023, cite="Shin2023", population="home the same day",
          note="count worked out from the printed 6.26 %"),
    Count(key="readmission_admitted", group=GENERAL,
          title="Back to hospital, if admitted that day",
          events=34, total=503, cite="Shin2023", population="admitted on the day",
          note="count worked out from the printed 6.76 %"),
    Count(key="readmission_inpatient", group=GENERAL,
          title="Back to hospital, if in hospital before", events=19, total=149, cite="Shin2023",
          population="in hospital before", note="count worked out from the printed 12.8 %"),
    _nsqip("any_complication", GENERAL, "Any complication", 230),
    _nsqip("reoperation", GENERAL, "Second operation because of the first", 18),
    _nsqip("transfusion", GENERAL, "Blood transfusion", 26),
    _nsqip("wound", RiskGroup.INFECTION, "Wound complication", 3),
    _nsqip("urinary_infection", RiskGroup.INFECTION, "Infection of the urine", 50),
    _nsqip("sepsis", RiskGroup.INFECTION, "Sepsis", 18),
    Count(key="spine_infection", group=RiskGroup.INFECTION,
          title="Infection of the spine", events=1,
          total=149, cite="Boonen2011", window="2 years", population="trial FREE"),
    Count(key="leak_any_ct", group=CEMENT, title="Cement outside the bone, seen on CT", events=157,
          total=214, cite="Dohm2014", window="after the procedure", of="treated levels",
          detector="CT", population="trial KAVIAR", note="leaks with symptoms are far rarer"),
    Count(key="leak_symptomatic", group=CEMENT, title="Leak with symptoms", events=0, total=97,
          cite="Krueger2010", window="follow-up of the series",
          population="back wall broken, nerves sound", detector="symptoms",
          note="none among 97; leaks were seen in 47 of 100 of them"),
    Count(key="leak_nerve", group=CEMENT, title="Leak that hurt a nerve", events=0, total=98,
          cite="Perez2021", window="follow-up of the series",
          population="back wall broken, nerves sound", detector="symptoms", note="none among 98"),
    Count(key="cement_lung_symptomatic", group=CEMENT, title="Cement in the lung, with symptoms",
          events=1, total=191, cite="Dohm2014", window="follow-up of the studies",
          population="trial KAVIAR",
          detector="symptoms"),
    Count(key="cement_lung_ct", group=CEMENT, title="Cement in the lung, seen on CT", events=34,
          total=1782, cite="JOSR2472", window="after the procedure", detector="CT",
          population="vertebroplasty or balloon kyphoplasty",
          note="of people whose lung was scanned; other series 21 to 260 in 1,000"),
    Count(key="cement_canal", group=CEMENT, title="Cement in the canal", events=26, total=3175,
          cite="JOSR1459", window="after the procedure", population=PVP,
          detector="not stated"),
    Count(key="cord_or_nerve", group=NERVES,
          title="Operation to free cord or nerves from cement", events=4, total=3175,
          cite="JOSR1459", window="after the procedure", population=PVP,
          note="no rate of cord injury after balloon kyphoplasty was found; in a series of 97 "
          "with a broken back wall there was none"),
    Count(key="next_fracture_1y", group=BONE, title="New fracture of the spine within a year",
          events=50, total=140, cite="Dohm2014", window="1 year", population="trial KAVIAR",
          detector="X-ray",
          note="without any procedure, too, a broken bone is often followed by more"),
    Count(key="next_fracture_2y", group=BONE, title="New fracture of the spine within 2 years",
          events=54, total=110, cite="Dohm2014", window="2 years", population="trial KAVIAR",
          detector="X-ray"),
    Count(key="refracture", group=BONE, title="Another vertebra broken later", events=1255,
          total=9372, cite="Refracture2022", window="follow-up of the studies",
          population="meta-analysis, vertebroplasty and kyphoplasty"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate that was printed without its counts."""

    key: str
    group: RiskGroup
    title: str
    per_1000: float
    detector: str
    population: str
    cite: str
    of: str = "treated levels"
    provenance: str = "S"
    note: str = "printed without counts, so without an interval"


RATES = (
    Rate(key="leak_any_xray", group=CEMENT, title="Cement outside the bone, seen on X-ray",
         per_1000=70.0, detector="X-ray", population="pooled series", cite="Bouza2006"),
    Rate(key="leak_any_mixed", group=CEMENT, title="Cement outside the bone, mixed detectors",
         per_1000=184.0, detector="mixed", population="meta-analysis", cite="Zhan2017"),
    Rate(key="leak_any_burst", group=CEMENT, title="Cement outside the bone, back wall broken",
         per_1000=470.0, detector="series", population="back wall broken, nerves sound",
         cite="Krueger2010", of="people"),
)  # fmt: skip

MATCH_INPATIENT = ("death_inpatient", "readmission_inpatient")
MATCH_OUTPATIENT = (
    "death_same_day", "death_admitted", "readmission_same_day", "readmission_admitted",
)  # fmt: skip


def wilson_per_1000(events: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate per 1,000, after Wilson.

    Examples
    --------
    >>> [round(x) for x in wilson_per_1000(42, 2248)]
    [14, 25]
    """
    share, z2 = events / total, Z95**2 / total
    centre = (share + z2 / 2.0) / (1.0 + z2)
    half = Z95 * math.sqrt(share * (1.0 - share) / total + z2 / (4.0 * total)) / (1.0 + z2)
    return max(1000.0 * (centre - half), 0.0), 1000.0 * (centre + half)


def risks(patient: Patient) -> tuple[Risk, ...]:
    """Return all rates, those that fit the patient's setting marked."""
    inpatient = patient.circumstances.inpatient
    matched = {Answer.YES: MATCH_INPATIENT, Answer.NO: MATCH_OUTPATIENT}.get(inpatient, ())
    found = [_from_count(count, count.key in matched) for count in COUNTS]
    found += [_from_rate(rate) for rate in RATES]
    groups = list(RiskGroup)
    return tuple(sorted(found, key=lambda risk: groups.index(risk.group)))


def _from_count(count: Count, matched: bool) -> Risk:
    low, high = wilson_per_1000(count.events, count.total)
    return Risk(
        key=count.key,
        group=count.group,
        title=count.title,
        per_1000=1000.0 * count.events / count.total,
        low=low,
        high=high,
        events=count.events,
        total=count.total,
        of=count.of,
        window=count.window,
        detector=count.detector,
        population=count.population,
        note=count.note,
        source=cited(count.cite),
        provenance=count.provenance,
        matched=matched,
    )


def _from_rate(rate: Rate) -> Risk:
    return Risk(
        key=rate.key,
        group=rate.group,
        title=rate.title,
        per_1000=rate.per_1000,
        low=None,
        high=None,
        events=None,
        total=None,
        of=rate.of,
        window="after the procedure",
        detector=rate.detector,
        population=rate.population,
        note=rate.note,
        source=cited(rate.cite),
        provenance=rate.provenance,
    )
