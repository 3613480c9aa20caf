"""The JSON contract other programs rely on."""

import json
from dataclasses import fields, replace

import pytest

from kyphoplan.case import Level, Measure, Severity, VertebraMeasures
from kyphoplan.report import anything_measured, measurements_to_json, verdict
from kyphoplan.report.wording import FIGURES, decimal

from .conftest import Case, notice, without_figures

M_KEYS = {"value", "low", "high", "unit", "confidence", "reason"}
CONTRACT = {
    "level",
    "anterior_height_mm",
    "middle_height_mm",
    "posterior_height_mm",
    "height_loss_pct",
    "genant",
    "wedge_angle_deg",
    "body_volume_ml",
    "density_hu",
    "retropulsion_mm",
    "canal_compromise_pct",
    "left_pedicle_width_mm",
    "right_pedicle_width_mm",
}


def strictly(data: object) -> str:
    return json.dumps(data, allow_nan=False)


def test_the_contract_holds(case: Case) -> None:
    data = measurements_to_json(case.measurements)
    assert data["schema"] == "kyphoplan.measurements/1"
    assert data["label_scheme"] == "verse"
    assert [row["level"] for row in data["vertebrae"]] == ["T12", "L1", "L2"]
    for row in data["vertebrae"]:
        assert set(row) >= CONTRACT
        assert set(row["genant"]) >= {"grade", "shape", "possible"}
    assert data["vertebrae"][1]["genant"]["possible"] == [2, 3]
    assert {"from", "to", "cobb_deg"} == set(data["kyphosis"][0])
    assert set(data["warnings"][0]) == {"code", "severity", "level", "text", "remedy"}


def test_every_figure_is_a_measure_with_the_unit_of_its_name(case: Case) -> None:
    data = measurements_to_json(case.measurements)
    for figure in FIGURES:
        measure = data["vertebrae"][1][figure.key]
        assert set(measure) == M_KEYS
        assert measure["unit"] == figure.unit
    assert set(data["kyphosis"][0]["cobb_deg"]) == M_KEYS


def test_the_table_of_figures_names_every_figure_of_a_vertebra() -> None:
    measures = [f.name for f in fields(VertebraMeasures) if f.type is Measure]
    assert sorted(measures) == sorted(figure.field for figure in FIGURES)
    assert len({figure.key for figure in FIGURES}) == len(FIGURES)


def test_it_is_strict_json_and_comes_back_the_same(case: Case) -> None:
    data = measurements_to_json(case.measurements)
    assert json.loads(strictly(data)) == data


def test_what_was_not_measured_is_null_with_its_reason(case: Case) -> None:
    measure = measurements_to_json(case.measurements)["vertebrae"][0]["density_mg_per_cm3"]
    assert measure["value"] is measure["low"] is measure["high"] is None
    assert (measure["confidence"], measure["reason"]) == ("none", "scan not calibrated")


def test_a_figure_in_another_unit_is_refused(case: Case) -> None:
    row = replace(case.measurements["L1"], cleft_volume=Measure.of(1.0, 0.1, "mm", "wrong"))
    wrong = replace(case.measurements, vertebrae=(row,))
    with pytest.raises(ValueError, match="L1 cleft_volume is in 'mm': give 'ml'"):
        measurements_to_json(wrong)


def test_notes_leave_the_verdict_ok_but_warnings_do_not(case: Case) -> None:
    clean = replace(case.measurements, notices=())
    noted = replace(case.measurements, notices=(notice(Severity.INFO),))
    critical = replace(case.measurements, notices=(notice(Severity.CRITICAL),))
    assert [verdict(m) for m in (clean, noted)] == ["ok", "ok"]
    assert [verdict(m) for m in (case.measurements, critical)] == ["ok_with_warnings"] * 2


def test_the_verdict_is_refused_if_nothing_could_be_measured(case: Case) -> None:
    rows = tuple(without_figures(row, "cropped") for row in case.measurements.vertebrae)
    empty = replace(case.measurements, vertebrae=rows, notices=())
    assert not anything_measured(empty)
    data = measurements_to_json(empty)
    assert data["verdict"] == "refused"
    assert data["vertebrae"][0]["genant"]["grade"] is None
    strictly(data)


def test_an_expected_height_alone_is_no_measurement(case: Case) -> None:
    row = without_figures(case.measurements[Level.L1], "cropped")
    row = replace(row, expected_anterior_height=Measure.of(26.0, 1.0, "mm", "norm"))
    assert not anything_measured(replace(case.measurements, vertebrae=(row,)))


def test_a_rounded_zero_has_no_sign() -> None:
    assert decimal(-0.04, 1) == "0.0"
