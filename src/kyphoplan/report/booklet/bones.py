"""What the booklet says and shows of each bone: its loss, its picture, the steps of its plan."""

from dataclasses import dataclass

from markupsafe import Markup

from kyphoplan.case import (
    GapSite,
    Level,
    LevelPlan,
    Measure,
    Verdict,
    VertebraMeasures,
)
from kyphoplan.report.booklet.catalogue import Catalogue
from kyphoplan.report.booklet.pictures import StepPicture, bone_picture, step_pictures
from kyphoplan.report.booklet.told import Told

CLEAR_LOSS_PCT = 0.0  # [%] an interval that reaches down to this is no clear loss of room
AGAINST = (Verdict.EMERGENCY_REFER, Verdict.NOT_CANDIDATE)  # no steps are drawn with these


@dataclass(frozen=True, slots=True, kw_only=True)
class BoneView:
    """One bone as the booklet shows it.

    Attributes
    ----------
    short : for the summary.
    sentences : what was measured, for the chapter about the bone.
    steps : pictures of the plan; empty with ``no_steps`` saying why.
    own : what the plan says to a step, by step.
    leaks : what the scan shows that bears on leaks.
    """

    name: str
    short: Markup
    sentences: list[Markup]
    picture: Markup | None
    steps: tuple[StepPicture, ...]
    no_steps: Markup
    own: dict[str, Markup]
    leaks: list[Markup]


def bone_views(told: Told, words: Catalogue) -> list[BoneView]:
    """Return the views of all bones that the booklet is about, from head to tail."""
    measured = told.measurements.vertebrae if told.measurements is not None else ()
    rows = {row.level: row for row in measured}
    return [
        _view(told, level, rows[level], words) if level in rows else _unseen(level, words)
        for level in told.levels
    ]


def _unseen(level: Level, words: Catalogue) -> BoneView:
    """Return the view of a bone that is asked about but was not measured."""
    name = str(level)
    place = words.say("bone.named", bone=name, place=place_of(level, words))
    return BoneView(
        name=name,
        short=words.say("short.lost_gone", bone=name),
        sentences=[place, words.say("bone.not_in_scan", bone=name)],
        picture=None,
        steps=(),
        no_steps=words.say("steps.no_plan", bone=name, why=words.text("steps.no_plan_scan")),
        own={},
        leaks=[words.say("risks.own_unknown", bone=name)],
    )


def place_of(level: Level, words: Catalogue) -> str:
    """Return where a bone lies, in words."""
    return words.text(f"bone.places.{level.name[0]}", number=level.name[1:])


def _view(told: Told, level: Level, row: VertebraMeasures, words: Catalogue) -> BoneView:
    name = str(level)
    plan = _plan(told, level)
    picture = None
    if told.spine is not None and told.measurements is not None:
        picture = bone_picture(told.spine, told.measurements, level, words)
    steps: tuple[StepPicture, ...] = ()
    why = _why_no_steps(told, level, plan)
    if not why and plan is not None and told.spine is not None:
        steps = step_pictures(told.spine, plan, words)
        why = "" if steps else "steps.no_plan_reach"
    no_steps = words.say("steps.no_plan", bone=name, why=words.text(why)) if why else Markup()
    return BoneView(
        name=name,
        short=_loss(row.height_loss, "short.lost", name, words),
        sentences=_sentences(row, words),
        picture=picture,
        steps=steps,
        no_steps=no_steps,
        own=_own(plan, words) if steps and plan is not None else {},
        leaks=_leaks(row, words),
    )


def _plan(told: Told, level: Level) -> LevelPlan | None:
    if told.plan is None:
        return None
    return next((p for p in told.plan.levels if p.level is level), None)


def _why_no_steps(told: Told, level: Level, plan: LevelPlan | None) -> str:
    """Return the key of the reason why no step may be drawn; empty if they may."""
    assessed = told.assessed
    here = next((one for one in assessed.levels if one.level is level), None)
    if assessed.decompression_rules or (here is not None and here.decompression):
        return "steps.no_plan_nerves"
    # what speaks against the whole patient speaks against each bone, asked about or not
    verdicts = [f.verdict for f in assessed.findings] + ([] if here is None else [here.verdict])
    if any(verdict in AGAINST for verdict in verdicts):
        return "steps.no_plan_stop"
    if told.spine is None or told.plan is None:
        return "steps.no_plan_scan"
    return "steps.no_plan_none" if plan is None else ""


def _sentences(row: VertebraMeasures, words: Catalogue) -> list[Markup]:
    name = str(row.level)
    said = [words.say("bone.named", bone=name, place=place_of(row.level, words))]
    said.append(_loss(row.height_loss, "bone.loss", name, words))
    lowest = _lowest(row)
    if lowest is not None:
        place, now, before = lowest
        said.append(
            words.say(
                "bone.heights",
                place=words.text(f"bone.heights_at.{place}"),
                now=words.number(now),
                before=words.number(before),
            )
        )
    grades = [words.text(f"bone.grades.{int(grade)}") for grade in row.genant.possible]
    if len(grades) == 1:
        said.append(words.say("bone.grade", grade=grades[0]))
    elif grades:
        said.append(words.say("bone.grade_two", first=grades[0], second=grades[-1]))
    said.append(_canal(row.canal_compromise, words))
    return said


def _lowest(row: VertebraMeasures) -> tuple[str, float, float] | None:
    """Return where the most height was lost, the height there [mm], and the one expected [mm]."""
    known = []
    for place in ("anterior", "middle", "posterior"):
        now = getattr(row, f"{place}_height").value
        before = getattr(row, f"expected_{place}_height").value
        if now is not None and before is not None and before > 0.0:
            known.append((place, now, before))
    return min(known, key=lambda height: height[1] / height[2], default=None)


def _loss(loss: Measure, key: str, bone: str, words: Catalogue) -> Markup:
    if loss.value is None or loss.low is None or loss.high is None:
        return words.say(f"{key}_none", bone=bone)
    value, low, high = (words.number(max(x, 0.0)) for x in (loss.value, loss.low, loss.high))
    return words.say(key, bone=bone, loss=value, low=low, high=high)


def _canal(loss: Measure, words: Catalogue) -> Markup:
    if loss.value is None or loss.low is None or loss.high is None:
        return words.say("bone.canal_none")
    if loss.low <= CLEAR_LOSS_PCT:
        return words.say("bone.canal_little", high=words.number(max(loss.high, 0.0)))
    value, low, high = (words.number(x) for x in (loss.value, loss.low, loss.high))
    return words.say("bone.canal", loss=value, low=low, high=high)


def _own(plan: LevelPlan, words: Catalogue) -> dict[str, Markup]:
    """Return what this plan adds to each step."""
    needles = [t for t in plan.trajectories if t.accepted]
    width = words.number(max(t.outer_diameter_mm for t in needles), 1)
    key = f"steps.needles_{len(needles)}"
    key = key if words.has(key) else "steps.needles_more"
    count = words.text(key, count=words.number(len(needles)))
    balloons = [b for b in plan.inflations if b.accepted and b.diameter_mm > 0.0]
    own = {
        "needle": words.say("steps.needle_own", count=count, width=width),
        "balloon": words.say("steps.balloon_none"),
        "cement": words.say("steps.cement_none"),
    }
    if balloons:
        volume = words.number(max(b.volume_ml for b in balloons), 1)
        own["balloon"] = words.say("steps.balloon_own", volume=volume)
    fill = plan.fill
    if fill is not None and fill.accepted and fill.total.low is not None:
        low, high = words.number(fill.total.low, 1), words.number(fill.total.high or 0.0, 1)
        own["cement"] = words.say("steps.cement_own", low=low, high=high)
    return own


def _leaks(row: VertebraMeasures, words: Catalogue) -> list[Markup]:
    """Return what the scan shows of ways out for cement."""
    bone = str(row.level)
    said = []
    if row.cortical_gaps:
        sites = dict.fromkeys(gap.site for gap in row.cortical_gaps)
        names = words.find("format.and").join(_site(site, words) for site in sites)
        said.append(words.say("risks.own_gap", bone=bone, site=names))
    elif row.cortical_gaps_reason:
        said.append(words.say("risks.own_unknown", bone=bone))
    else:
        said.append(words.say("risks.own_none", bone=bone))
    if row.cleft_volume.value is not None and (row.cleft_volume.low or 0.0) > 0.0:
        said.append(words.say("risks.own_cleft", bone=bone))
    return said


def _site(site: GapSite, words: Catalogue) -> str:
    return words.text(f"sites.{site.name.lower()}")
