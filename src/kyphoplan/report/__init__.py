"""From numbers to words and pictures."""

from kyphoplan.report.cannulas import draw_cannula, draw_plan
from kyphoplan.report.exports import write_exports, write_plan
from kyphoplan.report.overview import draw_overview
from kyphoplan.report.page import Picture, measurements_page
from kyphoplan.report.plan_json import plan_to_json
from kyphoplan.report.plan_reading import read_plan
from kyphoplan.report.result import draw_all, fill, png_of, write_measurements
from kyphoplan.report.sagittal import draw_fracture
from kyphoplan.report.sections import draw_canal, draw_pedicles
from kyphoplan.report.surgeon import draw_plans, surgeon_page, write_surgeon
from kyphoplan.report.tables import anything_measured, measurements_to_json, verdict

__all__ = [
    "Picture",
    "anything_measured",
    "draw_all",
    "draw_canal",
    "draw_cannula",
    "draw_fracture",
    "draw_overview",
    "draw_pedicles",
    "draw_plan",
    "draw_plans",
    "fill",
    "measurements_page",
    "measurements_to_json",
    "plan_to_json",
    "png_of",
    "read_plan",
    "surgeon_page",
    "verdict",
    "write_exports",
    "write_measurements",
    "write_plan",
    "write_surgeon",
]
