"""The closed sets of words in a patient record; "unknown" is a member of each."""

from enum import StrEnum


class Sex(StrEnum):
    """The sex in the record."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why the vertebra broke."""

    OSTEOPOROTIC = "osteoporotic"
    STEROID = "steroid"
    TRAUMA = "trauma"
    METASTASIS = "metastasis"
    MYELOMA = "myeloma"
    HAEMANGIOMA = "haemangioma"
    UNKNOWN = "unknown"


class NeurologicalGrade(StrEnum):
    """AO Spine neurological grade; NX is "cannot be examined", which is not "intact"."""

    N0 = "N0"
    N1 = "N1"
    N2 = "N2"
    N3 = "N3"
    N4 = "N4"
    NX = "NX"
    UNKNOWN = "unknown"


class Independence(StrEnum):
    """Help needed in daily life."""

    INDEPENDENT = "independent"
    PARTIAL = "partial"
    TOTAL = "total"
    UNKNOWN = "unknown"


class Trend(StrEnum):
    """How the pain goes."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    UNKNOWN = "unknown"


class PainKind(StrEnum):
    """Pain as the SINS asks for it."""

    MECHANICAL = "mechanical"
    OTHER = "other"
    NONE = "none"
    UNKNOWN = "unknown"


class Diabetes(StrEnum):
    """Diabetes and its treatment."""

    NONE = "none"
    ORAL = "oral"
    INSULIN = "insulin"
    UNKNOWN = "unknown"


class Stent(StrEnum):
    """Coronary stent."""

    NONE = "none"
    BARE_METAL = "bare_metal"
    DRUG_ELUTING = "drug_eluting"
    UNKNOWN = "unknown"


class Pregnancy(StrEnum):
    """Pregnancy; ``possible`` asks for a test."""

    NO = "no"
    POSSIBLE = "possible"
    YES = "yes"
    UNKNOWN = "unknown"


class Lesion(StrEnum):
    """How a tumour changes the bone on CT."""

    LYTIC = "lytic"
    MIXED = "mixed"
    BLASTIC = "blastic"
    UNKNOWN = "unknown"


class Alignment(StrEnum):
    """Alignment as the SINS asks for it."""

    NORMAL = "normal"
    DEFORMITY = "deformity"
    SUBLUXATION = "subluxation"
    UNKNOWN = "unknown"


class Involvement(StrEnum):
    """Facet, pedicle or costovertebral joint taken by tumour, as the SINS asks for it."""

    NONE = "none"
    UNILATERAL = "unilateral"
    BILATERAL = "bilateral"
    UNKNOWN = "unknown"


class Ligaments(StrEnum):
    """Posterior ligaments on MRI, as the TLICS asks for them."""

    INTACT = "intact"
    SUSPECTED = "suspected"
    INJURED = "injured"
    UNKNOWN = "unknown"
