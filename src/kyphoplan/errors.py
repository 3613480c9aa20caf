"""Our exceptions, one tree.

::

    KyphoplanError
    |-- CaseError        the input cannot be used: wrong, damaged, contradictory, ambiguous
    |   `-- GeometryError   ... because its place in the patient is unknown or impossible
    |-- NotFoundError    the input is fine, but what was asked for is not in it
    `-- OutputError      the result cannot be written where it was asked for

Each message is one line: what (file or argument), what is wrong, what to do.
A wrong *argument* of a function is a plain ``ValueError`` or ``TypeError``.
"""


class KyphoplanError(Exception):
    """Anything that kyphoplan itself refuses or cannot do."""


class CaseError(KyphoplanError):
    """The input cannot be used as it is."""


class GeometryError(CaseError):
    """The input's place in the patient is unknown, contradictory or impossible."""


class NotFoundError(KyphoplanError):
    """What was asked for is not in the input."""


class OutputError(KyphoplanError):
    """The result cannot be written where it was asked for."""
