"""Our exceptions, one tree.

::

    KyphoplanError
    |-- CaseError        the input cannot be used: wrong, damaged, contradictory, ambiguous
    |   `-- GeometryError   ... because its place in the patient is unknown or impossible
    |       `-- UnknownSidesError   ... so that left and right cannot be told
    |-- NotFoundError    the input is fine, but what was asked for is not in it
    `-- OutputError      the result cannot be written where it was asked for

Each message is one line: what (file or argument), what is wrong, what to do. Each error has a code
for programs, such as ``orientation_unknown``.
A wrong *argument* of a function is a plain ``ValueError`` or ``TypeError``.
"""

from typing import Any


class KyphoplanError(Exception):
    """Anything that kyphoplan itself refuses or cannot do.

    Attributes
    ----------
    code : stable name of the reason, for programs.
    found : what was found on the way, as plain data (such as the series of a folder).
    """

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, **found: Any) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.found = found

    def about(self, what: object) -> "KyphoplanError":
        """Return the same error with what it is about before its message."""
        return type(self)(f"{what}: {self}", code=self.code, **self.found)


class CaseError(KyphoplanError):
    """The input cannot be used as it is."""

    code = "input_refused"


class GeometryError(CaseError):
    """The input's place in the patient is unknown, contradictory or impossible."""

    code = "geometry_refused"


class UnknownSidesError(GeometryError):
    """The file does not say, or says in two ways, which side is left."""

    code = "orientation_unknown"


class NotFoundError(KyphoplanError):
    """What was asked for is not in the input."""

    code = "not_found"


class OutputError(KyphoplanError):
    """The result cannot be written where it was asked for."""

    code = "output_refused"
