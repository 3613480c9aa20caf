"""A rehearsal as strict JSON: the contract ``kyphoplan.rehearsal/1``."""

from collections.abc import Mapping

from kyphoplan import __version__
from kyphoplan.case import Measure
from kyphoplan.case.filling import Portion
from kyphoplan.case.rehearsal import Figures, LevelRehearsal, Moment, Rehearsal
from kyphoplan.report.tables import Json, measure_to_json, notice_to_json
from kyphoplan.report.wording import INTENDED_USE

BAR_PER_MPA = 10.0
SCHEMA = "kyphoplan.rehearsal/1"


def rehearsal_to_json(rehearsal: Rehearsal) -> Json:
    """Return a rehearsal as plain values; the same seed gives the same tree.

    Times are not in it: they stand in the manifest.
    """
    return {
        "schema": SCHEMA,
        "intended_use": INTENDED_USE,
        "made_by": f"kyphoplan {__version__}",
        "edge_mm": rehearsal.edge_mm,
        "seed": rehearsal.seed,
        "warnings": [notice_to_json(notice) for notice in rehearsal.notices],
        "levels": [_level(level) for level in rehearsal.levels],
    }


def _level(level: LevelRehearsal) -> Json:
    return {
        "level": str(level.level),
        "outcome": str(level.outcome),
        "reason": level.reason,
        "draws": level.draws,
        "figures": _measures(level.figures),
        "as_planned": {name: _short(value) for name, value in level.as_planned.items()},
        "cement_ml": _measures(level.cement),
        "cement_ledger": [_portion(portion) for portion in level.portions],
        "leak_probability": _measures(level.leaks),
        "increments": [_moment(moment) for moment in level.moments],
        "assumptions": dict(level.assumptions),
    }


def _measures(measures: Mapping[str, Measure]) -> Json:
    return {name: measure_to_json(measure) for name, measure in measures.items()}


def _portion(portion: Portion) -> Json:
    return {
        "injected_ml": _short(portion.injected_ml),
        "time_s": _short(portion.time_s),
        "pressure_bar": _short(BAR_PER_MPA * portion.pressure_mpa),
        "went_ml": {str(site): _short(ml) for site, ml in portion.went_ml.items() if ml},
        "residual": _short(portion.residual),
    }


def _moment(moment: Moment) -> Json:
    return {
        "volume_ml": {str(side): _short(v) for side, v in moment.volume_ml.items()},
        "pressure_bar": {str(side): _short(p) for side, p in moment.pressure_bar.items()},
        "change": _figures(moment.figures),
        "posterior_wall_strain": _short(moment.posterior_strain),
        "posterior_wall_breach": moment.breach,
        "unbalanced": _short(moment.unbalanced),
        "work_mj": _short(moment.work_mj),
        "stored_mj": _short(moment.stored_mj),
        "dissipated_mj": _short(moment.dissipated_mj),
        "grid_mj": _short(moment.grid_mj),
    }


def _figures(figures: Figures) -> Json:
    return {name: _short(getattr(figures, name)) for name in figures.__slots__}


def _short(value: float) -> float:
    """Round to what the model can tell, so that the last bit of a processor does not show."""
    return float(f"{value:.6g}")
