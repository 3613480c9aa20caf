"""Red flags of cord, roots, bladder and bowel: looked at first, and they stop the way to a
plan.
"""

from kyphoplan.assessment.facts import Facts, Told, any_told, exceeds
from kyphoplan.assessment.item import item
from kyphoplan.case import Step, Verdict
from kyphoplan.case.terms import Cause, NeurologicalGrade

FULL_MRC = 5  # [MRC grade] less is weakness of the legs, RF-2 (M)
WEAK_MRC = 3  # [MRC grade] RF-3 (P)
CORD_COMPRESSED_ESCC = 2  # [ESCC grade] from this grade the cord is compressed, NEO-3 (M)
STEP = Step.NEUROLOGY
EXAMINE = "a neurological examination by a spine surgeon that finds none of these"
TUMOURS = (Cause.METASTASIS, Cause.MYELOMA)


def tumour(facts: Facts) -> Told:
    """Return whether a tumour broke the vertebra."""
    return facts.among("injury.cause", *TUMOURS)


def _deficit_grade(facts: Facts) -> Told:
    grade = facts.patient.neurology.grade
    told = facts.among(
        "neurology.grade", NeurologicalGrade.N2, NeurologicalGrade.N3, NeurologicalGrade.N4
    )
    if grade is NeurologicalGrade.NX:  # could not be examined
        return Told(told.answer.UNKNOWN, "neurology.grade: NX", ("neurology.grade",))
    return told


def _cauda_equina(facts: Facts) -> Told:
    return facts.any(
        "neurology.bladder", "neurology.bowel", "neurology.saddle", "neurology.sciatica"
    )


def _weak(facts: Facts) -> Told:
    weak = facts.number("neurology.power_mrc", lambda grade: grade <= WEAK_MRC)
    return weak | facts.says("neurology.worsening")


def epidural(facts: Facts, least: int) -> Told:
    """Return whether tumour in the canal reaches an ESCC grade; a grade counts whatever the
    cause is said to be.
    """
    grade = facts.number("tumour.escc", lambda escc: escc >= least)
    return tumour(facts) & grade if facts.patient.tumour.escc is None else grade


def _compressed_by_tumour(facts: Facts) -> Told:
    return epidural(facts, CORD_COMPRESSED_ESCC)


def _limb_weakness(facts: Facts) -> Told:
    return facts.number("neurology.power_mrc", lambda grade: grade < FULL_MRC)


def touched(facts: Facts) -> Told:
    """Return whether cord or nerves are not sound: a deficit, a weaker leg, or one that passed."""
    passed = facts.among("neurology.grade", NeurologicalGrade.N1)
    return any_told(deficit(facts), _limb_weakness(facts), passed)


def deficit(facts: Facts) -> Told:
    """Return whether cord or nerves are affected, by any sign that the record holds."""
    return any_told(
        _deficit_grade(facts),
        _cauda_equina(facts),
        facts.says("neurology.myelopathy"),
        _weak(facts),
    )


@item(
    "CI-R1",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit="any one",
    cite=("LCD", "ACRpp2017"),
    provenance="S2,P",
    change=EXAMINE,
)
def neural_damage(facts: Facts) -> Told:
    """Cord or nerves are affected: refer to a spine surgeon today, who decides on decompression
    (laminectomy or laminotomy: bone is taken off the back of the canal to free the cord). Cement
    alone does not free a nerve. The coverage rules call this a relative contraindication, the
    practice parameter is stricter; the stricter one is used.
    """
    squeezed = facts.says("mri.cord_compressed") | _compressed_by_tumour(facts)
    return deficit(facts) | squeezed


@item(
    "RF-1",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit="any one",
    cite=("GIRFT2023",),
    provenance="M",
    change=EXAMINE,
)
def cauda_equina(facts: Facts) -> Told:
    """Signs of cauda equina syndrome: emergency MRI at once."""
    return _cauda_equina(facts)


@item(
    "RF-2",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit=f"any sign, or power below MRC {FULL_MRC}",
    cite=("ACRpp2017",),
    provenance="M",
    change=EXAMINE,
)
def myelopathy(facts: Facts) -> Told:
    """Signs of damage to the cord: gait, reflexes, sensory level, weakness of the legs."""
    return facts.says("neurology.myelopathy") | _limb_weakness(facts)


@item(
    "RF-3",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit=f"power MRC {WEAK_MRC} or less, or worse over days",
    cite=(),
    provenance="P",
    change=EXAMINE,
)
def weakness(facts: Facts) -> Told:
    """Weak legs, or weakness that grows over days."""
    return _weak(facts)


@item(
    "RF-4",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit="N2, N3 or N4",
    cite=("AOcard",),
    provenance="S",
    change=EXAMINE,
)
def neurological_grade(facts: Facts) -> Told:
    """Neurological grade N2, N3 or N4: a spine surgeon sees the patient today."""
    return _deficit_grade(facts)


@item(
    "RF-5",
    STEP,
    Verdict.MDT_REVIEW,
    limit="N1",
    cite=(),
    provenance="P",
    change="a surgeon's word that nothing is left of it",
)
def transient_deficit(facts: Facts) -> Told:
    """A deficit that came and went (N1): a spine surgeon looks first."""
    return facts.among("neurology.grade", NeurologicalGrade.N1)


@item(
    "RF-6",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit="tumour with any sign of the cord",
    cite=("NG234",),
    provenance="M",
    change="an MRI of the whole spine that shows the cord free",
)
def metastatic_compression(facts: Facts) -> Told:
    """A tumour may press on the cord: MRI within 24 hours, and surgeon and radiotherapist
    decide.
    """
    signs = deficit(facts) | facts.says("mri.cord_compressed") | _compressed_by_tumour(facts)
    return (tumour(facts) & signs) | _compressed_by_tumour(facts)


@item(
    "RF-8",
    STEP,
    Verdict.MDT_REVIEW,
    limit="main complaint",
    cite=(),
    provenance="P",
    change="a spine surgeon's word that narrowing is not the main trouble",
)
def stenosis(facts: Facts) -> Told:
    """Narrowing of many levels is the main trouble: a spine surgeon is asked about decompression
    (laminectomy or laminotomy); balloon kyphoplasty does not widen the canal.
    """
    return facts.says("neurology.claudication")


def _narrowed(facts: Facts) -> Told:
    """Return whether bone stands in the canal, whole interval above nothing."""
    return facts.measured("canal_compromise", exceeds(0.0)) | facts.measured(
        "retropulsion", exceeds(0.0)
    )


@item(
    "RF-7",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit="canal narrowed by bone, with symptoms",
    cite=("PMC3570129",),
    provenance="S",
    change="a surgeon's word that the symptoms do not come from this level",
)
def narrowed_with_symptoms(facts: Facts) -> Told:
    """Bone narrows the canal and there are symptoms: decompression, with or without fixation."""
    return deficit(facts) & _narrowed(facts)


@item(
    "PW-8",
    STEP,
    Verdict.EMERGENCY_REFER,
    limit="canal narrowed by bone, with signs of cord or cauda",
    cite=("LCD", "ACRpp2017"),
    provenance="S2",
    change="a surgeon's word that the symptoms do not come from this level",
)
def narrowed_with_cord_signs(facts: Facts) -> Told:
    """Bone narrows the canal, with signs of cord or cauda or growing weakness: refer today."""
    signs = any_told(
        facts.says("neurology.myelopathy"),
        _cauda_equina(facts),
        facts.says("neurology.worsening"),
    )
    return signs & _narrowed(facts)


OF_PATIENT = (
    neural_damage,
    cauda_equina,
    myelopathy,
    weakness,
    neurological_grade,
    transient_deficit,
    metastatic_compression,
    stenosis,
)
OF_LEVEL = (narrowed_with_symptoms, narrowed_with_cord_signs)
