"""No combination of red flags over otherwise perfect data ends in candidate or conditional."""

from itertools import chain, combinations
from typing import Any

import pytest

from kyphoplan.assessment import assess, candidacy
from kyphoplan.assessment.facts import Facts
from kyphoplan.case import Level, Verdict
from kyphoplan.case.terms import Cause, NeurologicalGrade, Pregnancy

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
