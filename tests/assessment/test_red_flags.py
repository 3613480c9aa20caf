"""No combination of red flags over otherwise perfect data ends in candidate or conditional."""

from itertools import chain, combinations
from typing import Any

import pytest

from kyphoplan.assessment import assess, candidacy
from kyphoplan.assessment.facts import Facts
from kyphoplan.case import Anesthesia, Level, Medicine, Setting, Status, Verdict
from kyphoplan.case.terms import Cause, NeurologicalGrade, Pregnancy, Sex

from .patients import FIT, YES, changed, figures, measure, vertebra

FAVOURABLE = {Verdict.CANDIDATE, Verdict.CONDITIONAL}
CORE: dict[str, Any] = {
    "neurology__bladder": YES,
    "neurology__bowel": YES,
    "neurology__saddle": YES,
    "neurology__myelopathy": YES,
    "neurology__power_mrc": 3,
    "neurology__worsening": YES,
    "neurology__grade": NeurologicalGrade.N3,
    "infection__systemic": YES,
    "infection__fever": YES,
    "laboratory__inr": 2.4,
    "laboratory__platelets_e9_per_l": 40.0,
}
MORE: dict[str, Any] = {
    "neurology__sciatica": YES,
    "neurology__claudication": YES,
    "mri__cord_compressed": YES,
    "infection__local": YES,
    "injury__unstable": YES,
}
OTHERS: dict[str, Any] = {
    "infection__susceptible": YES,
    "infection__markers": YES,
    "laboratory__uncorrectable": YES,
    "allergies__pmma": YES,
    "allergies__contrast": YES,
    "pregnancy": Pregnancy.YES,
    "heart__unstable": YES,
    "heart__clot_recent": YES,
    "lungs__severe": YES,
    "injury__high_energy": YES,
    "injury__posterior_fracture": YES,
    "injury__cause": Cause.METASTASIS,
}


def subsets(names: list[str]) -> chain[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, n) for n in range(1, len(names) + 1))


def verdict_with(flags: dict[str, Any], names: tuple[str, ...]) -> Verdict:
    patient = changed(FIT, **{name: flags[name] for name in names})
    facts = Facts(patient=patient, measurements=figures(), levels=(Level.L1,))
    return candidacy.worst(candidacy.of_patient(facts))[0]


def test_without_a_flag_the_patient_is_a_candidate() -> None:
    assert assess(figures(), FIT).verdict is Verdict.CANDIDATE


@pytest.mark.slow
def test_no_combination_of_red_flags_is_favourable() -> None:
    found = {names: verdict_with(CORE, names) for names in subsets(list(CORE))}
    assert len(found) == 2 ** len(CORE) - 1
    assert [names for names, verdict in found.items() if verdict in FAVOURABLE] == []


@pytest.mark.soak
def test_no_combination_of_more_red_flags_is_favourable() -> None:
    flags = CORE | MORE
    bad = [n for n in subsets(list(flags)) if verdict_with(flags, n) in FAVOURABLE]
    assert bad == []


@pytest.mark.parametrize(
    "flag", CORE | MORE | {k: v for k, v in OTHERS.items() if "clot" not in k}
)
def test_no_single_red_flag_is_favourable(flag: str) -> None:
    patient = changed(FIT, **{flag: (CORE | MORE | OTHERS)[flag]})
    assert assess(figures(), patient).verdict not in FAVOURABLE


@pytest.mark.parametrize(
    "flag", [name for name in CORE | MORE if name.startswith(("neurology__b", "mri__"))]
)
def test_a_neurological_emergency_is_referred_and_names_decompression(flag: str) -> None:
    assessed = assess(figures(), changed(FIT, **{flag: YES}))
    assert assessed.verdict is Verdict.EMERGENCY_REFER
    assert "laminectomy" in assessed.decompression
    assert "laminotomy" in assessed.decompression
    assert all(level.decompression for level in assessed.levels)


@pytest.mark.parametrize(
    ("level", "compromise"),
    [(Level.T8, 25), (Level.T12, 30), (Level.L1, 40), (Level.L3, 50), (Level.L1, 70)],
)
def test_a_measured_narrow_canal_asks_for_decompression_and_not_for_a_plan(
    level: Level, compromise: float
) -> None:
    row = vertebra(level, canal_compromise=measure(compromise, "%"))
    patient = changed(FIT, pain__at_levels=(level,), mri__edema_at=(level,))
    assessed = assess(figures(row), patient)
    assert assessed.verdict is Verdict.MDT_REVIEW
    assert assessed.levels[0].decompression
    assert "laminectomy" in assessed.decompression


def test_bone_that_moved_back_a_little_with_sound_nerves_is_conditional() -> None:
    row = vertebra(retropulsion=measure(4.0, "mm"), canal_compromise=measure(15.0, "%"))
    assessed = assess(figures(row), FIT)
    assert assessed.verdict is Verdict.CONDITIONAL
    assert assessed.decided_by == ("PW-5",)
    assert assessed.decompression == ""


def found(rule: str, row: Any = None, **answers: Any) -> Verdict:
    """What one rule says of the fit patient with other answers."""
    assessed = assess(figures(row or vertebra()), changed(FIT, **answers))
    return next(f.verdict for f in assessed.all_findings if f.rule == rule)


def test_a_weaker_leg_is_a_sign_of_the_cord_and_no_sound_nerve() -> None:
    """RF-2 names weakness of the limbs; MRC 4 was read as sound."""
    moved = vertebra(retropulsion=measure(4.0, "mm"), canal_compromise=measure(15.0, "%"))
    assert found("RF-2", neurology__power_mrc=4) is Verdict.MDT_REVIEW
    checks = assess(figures(), changed(FIT, neurology__power_mrc=4)).readiness.checks
    assert {c.rule: c.status for c in checks}["RF-2"] is Status.STOP
    for change in ({"neurology__power_mrc": 4}, {"neurology__grade": NeurologicalGrade.N1}):
        assert found("PW-5", moved, **change) is Verdict.PASS
        assert found("PW-10", moved, **change) is Verdict.PASS
        assert assess(figures(moved), changed(FIT, **change)).verdict is Verdict.MDT_REVIEW


@pytest.mark.parametrize("cause", [Cause.OSTEOPOROTIC, Cause.TRAUMA, Cause.UNKNOWN])
def test_tumour_on_the_cord_counts_whatever_the_cause_is_said_to_be(cause: Cause) -> None:
    pressed = {"injury__cause": cause, "tumour__escc": 3}
    assert found("CI-R1", **pressed) is Verdict.EMERGENCY_REFER
    assert found("NEO-3", **pressed) is Verdict.MDT_REVIEW
    assert found("CI-R4", injury__cause=cause, tumour__escc=1) is Verdict.MDT_REVIEW


def test_a_pregnancy_counts_whatever_the_sex_is_said_to_be() -> None:
    assert found("CI-A6", sex=Sex.MALE, pregnancy=Pregnancy.YES) is Verdict.NOT_CANDIDATE
    assert found("RD-11", sex=Sex.MALE, pregnancy=Pregnancy.POSSIBLE) is Verdict.MDT_REVIEW
    assert found("CI-A6", sex=Sex.MALE, pregnancy=Pregnancy.UNKNOWN) is Verdict.PASS


@pytest.mark.parametrize("danger", ["heart__valve", "heart__clot_recent"])
def test_danger_of_a_clot_asks_for_a_plan_with_or_without_a_medicine(danger: str) -> None:
    assert found("AC-5", **{danger: YES}, medicines=()) is Verdict.MDT_REVIEW
    stay = assess(figures(), changed(FIT, **{danger: YES}, medicines=())).stay
    assert stay.setting is Setting.SAME_DAY  # no medicine, so nothing to bridge


def test_the_ends_of_the_printed_bands_are_on_the_printed_side() -> None:
    """PW-10 holds up to 34.5 % at L1, CI-R7 begins above 70 %."""
    for value, verdict in ((34.5, Verdict.INFO), (34.6, Verdict.PASS)):
        row = vertebra(canal_compromise=measure(value, "%", half=0.0))
        assert found("PW-10", row) is verdict
        assert (found("CI-R2", row) is Verdict.MDT_REVIEW) == (value > 34.5)
    for value in (70.0, 70.1):
        row = vertebra(height_loss=measure(value, "%", half=0.0))
        assert (found("CI-R7", row) is Verdict.MDT_REVIEW) == (value > 70.0)


def test_the_day_of_an_inr_is_no_inr() -> None:
    answers = {"medicines": (Medicine(name="warfarin"),), "laboratory__inr": None}
    assert found("AC-6", **answers) is Verdict.INSUFFICIENT_DATA


def test_a_missing_answer_that_may_speak_for_local_leaves_the_proposal_open() -> None:
    three = {"levels_planned": (Level.T11, Level.T12, Level.L1)}
    whole = assess(figures(), changed(FIT, **three)).anesthesia
    ill = assess(figures(), changed(FIT, **three, asa=4)).anesthesia
    open_ = assess(figures(), changed(FIT, **three, asa=None)).anesthesia
    assert (whole.proposal, ill.proposal) == (Anesthesia.GENERAL, Anesthesia.EITHER)
    assert open_.proposal is Anesthesia.UNKNOWN
    assert "asa" in open_.missing


def test_pain_counts_in_the_of_score_only_under_the_second_step_of_analgesia() -> None:
    """OF-4 asks for the pain under WHO step II."""
    lows = {}
    for step in (None, 1, 2, 3):
        scores = assess(figures(), changed(FIT, care__who_step=step)).readiness.scores
        score = next(one for one in scores if one.rule == "OF-T1")
        lows[step] = score.low
        assert ("care.who_step" in score.missing) == (step is None)
    assert lows[2] == lows[3] == lows[1] + 1 == lows[None] + 1


def test_the_sham_trial_has_the_sign_of_all_other_differences() -> None:
    """VERTOS IV prints sham minus vertebroplasty; less pain is negative here."""
    sham = next(one for one in assess(None).benefits if one.key == "sham")
    assert (sham.difference, sham.low, sham.high) == (-0.41, -1.15, 0.33)
