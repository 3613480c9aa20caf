"""How long guidelines have a medicine stopped before and after. Never an order (hazard H8)."""

from types import MappingProxyType
from typing import Final

from kyphoplan.assessment.medicines import Kind, recognise
from kyphoplan.case import Hold, Medicine, MedicineAdvice

SIR, ASRA = "SIR 2019, high risk", "ASRA 2018, high risk"
CITE = ("Patel2019", "Narouze2018")
PROVENANCE = "M"  # all hold times are from memory

# medicine: (stop SIR, stop ASRA, restart SIR, restart ASRA)
HOLDS: Final = MappingProxyType({
    "aspirin": ("3 to 5 days", "6 days for primary prevention; else a shared decision", "next day",
                "24 h"),
    "clopidogrel": ("5 days", "7 days", "75 mg after 6 h, loading dose after 24 h", "12 to 24 h"),
    "prasugrel": ("7 days", "7 to 10 days", "next day", "24 h"),
    "ticagrelor": ("5 days (some sites 7)", "5 days", "next day", "24 h"),
    "cangrelor": ("1 h; put off what can wait", "3 h", "", ""),
    "warfarin": ("5 days, INR up to 1.8", "5 days, INR normal", "next day", "6 h"),
    "heparin": ("into a vein 4 to 6 h, under the skin 6 h", "into a vein 6 h, under the skin 24 h",
                "6 to 8 h", "into a vein 2 to 24 h"),
    "enoxaparin": ("low dose 12 h, full dose 24 h; anti-Xa with weak kidneys",
                   "low dose 12 h, full dose 24 h", "12 h", "12 to 24 h"),
    "fondaparinux": ("2 to 3 days; 3 to 5 if clearance below 50 mL/min", "4 days", "24 h", "24 h"),
    "apixaban": ("4 doses; 6 if clearance below 50 mL/min", "3 days", "24 h", "24 h"),
    "rivaroxaban": ("2 doses; 3 if clearance 15 to 30 mL/min", "3 days", "24 h", "24 h"),
    "edoxaban": ("2 doses", "3 days", "24 h", "24 h"),
    "dabigatran": ("4 doses; 6 to 8 if clearance 30 to 50 mL/min",
                   "4 days; 5 to 6 with weak kidneys", "24 h", "24 h"),
    "argatroban": ("2 to 4 h", "", "4 to 6 h", ""),
    "bivalirudin": ("2 to 4 h", "", "4 to 6 h", ""),
    "ibuprofen": ("1 day", "1 day", "24 h", "24 h"),
    "naproxen": ("up to 10 days", "4 days", "24 h", "24 h"),
    "meloxicam": ("up to 10 days", "4 days", "24 h", "24 h"),
    "piroxicam": ("up to 10 days", "10 days", "24 h", "24 h"),
    "cilostazol": ("none stated", "2 days", "", ""),
    "dipyridamole": ("with aspirin 3 to 5 days", "2 days", "", ""),
})  # fmt: skip

_WHO = {
    Kind.ANTIPLATELET: "the prescriber; with a stent the cardiologist",
    Kind.VITAMIN_K: "the prescriber",
    Kind.DIRECT: "the prescriber",
    Kind.ANTICOAGULANT: "the prescriber",
}
_TEXT = {
    Kind.NSAID: "A medicine for pain that can add to bleeding. Ask whether to pause it.",
    Kind.OTHER_BLEEDING: "May add to bleeding a little. Ask; do not stop it on your own.",
    Kind.STEROID: "Weakens bone and slows healing. Never stop it suddenly; tell the team.",
    Kind.NONE: "No bearing on bleeding is known here. Keep taking it unless told otherwise.",
}
_CLOTS = (
    "Works against clots. Do not stop it without your prescriber: prescriber and team agree when "
    "to stop and when to start again. The times of the guidelines are shown for them; the longer "
    "one is the safer start of that talk."
)


_CLOTS_NO_TIMES = (
    "Works against clots. Do not stop it without your prescriber: prescriber and team agree when "
    "to stop and when to start again. No time of a guideline is at hand here for this medicine."
)


def advise(medicine: Medicine) -> MedicineAdvice:
    """Return what a medicine means for the procedure.

    Examples
    --------
    >>> advise(Medicine(name="Eliquis")).kind
    'direct oral anticoagulant'
    """
    found = recognise(medicine.name)
    if not found.generic:
        return MedicineAdvice(
            given=medicine.name,
            generic="",
            recognised=found.how,
            kind="",
            holds=(),
            text="This name was not recognised. Check what it is: it may work against clots.",
            who="the team, with the pharmacist",
        )
    return MedicineAdvice(
        given=medicine.name,
        generic=found.generic,
        recognised=found.how,
        kind=found.kind.value,
        holds=_holds(found.generic),
        text=_TEXT.get(found.kind, _CLOTS if found.generic in HOLDS else _CLOTS_NO_TIMES),
        who=_WHO.get(found.kind, "the team"),
    )


def _holds(generic: str) -> tuple[Hold, ...]:
    if generic not in HOLDS:
        return ()
    stop_sir, stop_asra, again_sir, again_asra = HOLDS[generic]
    rows = ((SIR, stop_sir, again_sir), (ASRA, stop_asra, again_asra))
    return tuple(
        Hold(guideline=name, stop=stop, restart=again, provenance=PROVENANCE)
        for name, stop, again in rows
        if stop
    )
