"""From figures and the patient record to findings: what may be said, and why."""

from kyphoplan.assessment.assessing import assess

__all__ = ["assess"]
