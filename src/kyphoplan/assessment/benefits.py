"""What the trials found, each with comparator, time, and its limits.

Changes in a single group are left out: most fractures get better by themselves within 2 to 12
weeks, so such a change is no effect (hazard H6).
"""

from dataclasses import dataclass

from kyphoplan.assessment.sources import cited
from kyphoplan.case import Benefit

OPEN = "care without operation, in an open trial"
MAKER = "Open trial paid by the maker."
NO_SHAM = (
    "No trial has compared balloon kyphoplasty with a sham procedure. Against sham, "
    "vertebroplasty "
    "was no better in most trials."
)
MORTALITY = (
    "Whether people live longer is uncertain: comparisons of insurance data suggest it (hazard "
    "ratio 0.78, 0.66 to 0.92), but those who get the procedure may be healthier to begin with."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A difference against a comparator, as printed."""

    key: str
    title: str
    difference: float | None
    interval: tuple[float, float] | None
    unit: str
    at: str
    text: str
    cite: tuple[str, ...]
    comparator: str = OPEN
    blinded: bool = False
    limits: str = MAKER
    provenance: str = "S"


EFFECTS = (
    Effect(key="pain", title="Back pain", difference=-1.49, interval=(-1.88, -1.10),
           unit="points of 10", at="over 24 months",
           text="Pain was about one and a half points of ten lower with the procedure.",
           cite=("Boonen2011",)),
    Effect(key="pain_24m", title="Back pain after two years", difference=-0.80,
           interval=(-1.39, -0.20), unit="points of 10", at="24 months",
           text="After two years the difference was less than one point of ten.",
           cite=("Boonen2011",)),
    Effect(key="quality", title="Physical quality of life (SF-36 PCS)", difference=5.2,
           interval=(2.9, 7.4), unit="points of 100", at="1 month",
           text="Quality of life rose faster with the procedure.", cite=("Wardlaw2009",),
           limits=f"{MAKER} At 12 and 24 months there was no sure difference."),
    Effect(key="function", title="Disability in daily life (RDQ)", difference=-4.0, interval=None,
           unit="points of 24", at="1 month", text="Daily life was easier with the procedure.",
           cite=("Wardlaw2009",), provenance="M"),
    Effect(key="function_cancer", title="Disability in daily life with cancer (RDQ)",
           difference=-8.4, interval=(-9.2, -7.6), unit="points of 24", at="1 month",
           text="In people with cancer daily life was much easier with the procedure.",
           cite=("Berenson2011",), provenance="M"),
    Effect(key="getting_up", title="Getting up and walking (timed)", difference=-3.0,
           interval=(-5.1, -1.0), unit="s", at="over 24 months",
           text="Getting up was a little faster.",
           cite=("VanMeirhaeghe2013",)),
    Effect(key="kyphosis", title="Bend of the broken bone", difference=-2.3, interval=None,
           unit="deg", at="24 months",
           text="The bone was straighter by 3.1 degrees, against 0.8 without the procedure.",
           cite=("VanMeirhaeghe2013",), provenance="S,C",
           limits=f"{MAKER} The aim is less pain, never a straighter back."),
    Effect(key="height_by_age", title="Angle regained, by age of the fracture", difference=None,
           interval=None, unit="deg", at="2 days",
           text="3.8 degrees within 2 weeks, 4.3 at 2 to 6 weeks, 1.7 later.",
           cite=("Palmowski2020",), comparator="none (single group)",
           limits="No comparison; some of the height is lost again within months."),
    Effect(key="sham", title="Pain against a sham procedure (vertebroplasty)", difference=-0.41,
           interval=(-1.15, 0.33), unit="points of 10", at="1 month",
           text="Against sham there was no sure difference (printed the other way round: 0.41).",
           cite=("Firanescu2018",),
           comparator="sham", blinded=True,
           limits="Vertebroplasty. No sham trial of balloon kyphoplasty exists."),
    Effect(key="life", title="Living longer: uncertain", difference=None, interval=None, unit="1",
           at="years", text=MORTALITY, cite=("Hinde2020", "McCullough2013"),
           comparator="care without operation, in insurance data",
           limits="No trial. Nobody should be told that the procedure prolongs life."),
)  # fmt: skip


def benefits() -> tuple[Benefit, ...]:
    """Return what the trials found."""
    return tuple(
        Benefit(
            key=effect.key,
            title=effect.title,
            difference=effect.difference,
            low=None if effect.interval is None else effect.interval[0],
            high=None if effect.interval is None else effect.interval[1],
            unit=effect.unit,
            comparator=effect.comparator,
            at=effect.at,
            blinded=effect.blinded,
            text=effect.text,
            limits=f"{effect.limits} {NO_SHAM}" if effect.comparator == OPEN else effect.limits,
            source=cited(*effect.cite),
            provenance=effect.provenance,
        )
        for effect in EFFECTS
    )
