"""Codes of FHIR resources and the fields of the record they fill: LOINC, SNOMED CT, ICD-10."""

from types import MappingProxyType
from typing import Final

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ICD10 = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")

# LOINC code of an Observation: field of the record
OBSERVATIONS: Final = MappingProxyType({
    "6301-6": "laboratory.inr",
    "34714-6": "laboratory.inr",
    "777-3": "laboratory.platelets_e9_per_l",
    "26515-7": "laboratory.platelets_e9_per_l",
    "718-7": "laboratory.hemoglobin_g_per_dl",
    "2160-0": "laboratory.creatinine_mg_per_dl",
    "14682-9": "laboratory.creatinine_mg_per_dl",
    "2164-2": "laboratory.clearance_ml_per_min",
    "1751-7": "laboratory.albumin_g_per_dl",
    "29463-7": "weight_kg",
    "8302-2": "height_cm",
    "72514-3": "pain.nrs",
    "10230-1": "heart.ejection_pct",
})  # fmt: skip

# UCUM unit of an Observation: unit of the record
UNITS: Final = MappingProxyType({
    "{INR}": "1", "{ratio}": "1", "{score}": "1", "1": "1",
    "10*3/uL": "10^9/L", "10*9/L": "10^9/L", "10^9/L": "10^9/L", "K/uL": "10^9/L",
    "/uL": "1/uL", "g/dL": "g/dL", "g/L": "g/L", "mg/dL": "mg/dL", "umol/L": "umol/L",
    "mL/min": "mL/min", "kg": "kg", "[lb_av]": "lb", "cm": "cm", "m": "m", "[in_i]": "in",
    "%": "%",
})  # fmt: skip

# Field of the record, word, SNOMED CT codes, beginnings of ICD-10 codes. What is over (resolved)
# still counts where the rule asks for a history.
CONDITIONS: Final = (
    ("heart.infarction", "yes", ("22298006", "399211009"), ("I21", "I22", "I252"), True),
    ("heart.ischemic", "yes", ("414545008",), ("I20", "I24", "I25"), True),
    ("heart.failure", "yes", ("84114007",), ("I50",), True),
    ("heart.stroke", "yes", ("230690007", "266257000"), ("I63", "I64", "G45", "Z8673"), True),
    ("heart.hypertension", "yes", ("38341003",), ("I10", "I11", "I12", "I13"), False),
    ("lungs.copd", "yes", ("13645005",), ("J44",), False),
    ("lungs.sleep_apnea", "yes", ("78275009",), ("G473",), False),
    ("conditions.dementia", "yes", ("52448006",), ("F01", "F02", "F03", "G30"), False),
    ("conditions.liver", "yes", ("328383001",), ("K70", "K73", "K74"), False),
    ("conditions.cancer", "yes", ("363346000",), ("C",), True),
    ("infection.systemic", "yes", ("91302008",), ("A40", "A41"), False),
    ("infection.local", "yes", (), ("M462", "M463", "M464"), False),
    ("mri.cord_compressed", "yes", ("192970008", "71286001"), ("G834", "G952"), False),
    ("pregnancy", "yes", ("77386006",), ("Z33", "O"), False),
    ("injury.cause", "metastasis", ("94222008",), ("C795",), False),
    ("injury.cause", "myeloma", ("109989006",), ("C900",), False),
    ("injury.cause", "osteoporotic", (), ("M80",), False),
)  # fmt: skip

# Words in the name of an allergy: field of the record
ALLERGIES: Final = (
    ("allergies.pmma", ("methacrylate", "pmma", "bone cement")),
    ("allergies.contrast", ("contrast", "iohexol", "iopamidol", "iodixanol", "iopromide")),
    ("allergies.antibiotic", ("cefazolin", "cephalosporin", "penicillin")),
)
NO_KNOWN_ALLERGY = "716186003"
STENTS = ("36969009", "415070008")
