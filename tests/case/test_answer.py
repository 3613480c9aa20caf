"""Three-valued answers: leaving something out never turns yes into no."""

from itertools import product

import pytest

from kyphoplan.case import Answer, all_of, any_of

KNOWN = (Answer.YES, Answer.NO)


def readings(*answers: Answer) -> list[tuple[Answer, ...]]:
    """All ways in which missing answers may come out."""
    return list(product(*[KNOWN if a is Answer.UNKNOWN else (a,) for a in answers]))


@pytest.mark.parametrize("answers", list(product(Answer, repeat=3)))
def test_a_result_is_definite_only_if_every_reading_agrees(answers: tuple[Answer, ...]) -> None:
    for combine, ordinary in ((any_of, any), (all_of, all)):
        outcomes = {ordinary(a is Answer.YES for a in reading) for reading in readings(*answers)}
        expected = Answer.of(outcomes.pop() if len(outcomes) == 1 else None)
        assert combine(*answers) is expected


@pytest.mark.parametrize("pair", list(product(Answer, repeat=2)))
def test_and_or_and_not_obey_de_morgan(pair: tuple[Answer, Answer]) -> None:
    a, b = pair
    assert ~(a & b) is ~a | ~b
    assert ~~a is a


def test_an_answer_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"compare it with Answer\.YES"):
        bool(Answer.UNKNOWN)
