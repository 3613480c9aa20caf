"""The patient's booklet: the patient's own bone, choices, risks, questions, in plain words."""

from kyphoplan.report.booklet.page import booklet_page, write_booklet
from kyphoplan.report.booklet.pdf import write_booklet_pdf
from kyphoplan.report.booklet.told import Told

__all__ = ["Told", "booklet_page", "write_booklet", "write_booklet_pdf"]
