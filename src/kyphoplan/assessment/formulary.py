"""Names of medicines: generic with what it has to do with bleeding, and brand to generic.

The kinds are common knowledge of pharmacology; how long a medicine is held stands in `holds`.
"""

from types import MappingProxyType
from typing import Final

_DIRECT = "apixaban rivaroxaban edoxaban dabigatran"
_VITAMIN_K = "warfarin phenprocoumon acenocoumarol"
_ANTICOAGULANT = "heparin enoxaparin dalteparin tinzaparin fondaparinux argatroban bivalirudin"
_ANTIPLATELET = "aspirin clopidogrel prasugrel ticagrelor cangrelor cilostazol dipyridamole"
_NSAID = "ibuprofen naproxen meloxicam piroxicam diclofenac celecoxib ketorolac etoricoxib"
_OTHER = "sertraline fluoxetine paroxetine citalopram escitalopram ginkgo venlafaxine duloxetine"
_STEROID = "prednisone prednisolone methylprednisolone dexamethasone hydrocortisone"
_NONE = (
    "paracetamol oxycodone hydrocodone morphine tramadol fentanyl hydromorphone tapentadol "
    "codeine "
    "buprenorphine metamizole gabapentin pregabalin baclofen tizanidine cyclobenzaprine lidocaine "
    "alendronate risedronate ibandronate zoledronate denosumab teriparatide abaloparatide "
    "romosozumab raloxifene calcitonin calcium cholecalciferol calcitriol magnesium potassium "
    "iron "
    "lisinopril enalapril ramipril perindopril losartan valsartan candesartan irbesartan "
    "telmisartan "
    "olmesartan amlodipine nifedipine felodipine diltiazem verapamil metoprolol bisoprolol "
    "atenolol "
    "carvedilol propranolol nebivolol hydrochlorothiazide chlorthalidone indapamide furosemide "
    "torsemide bumetanide spironolactone eplerenone digoxin amiodarone nitroglycerin isosorbide "
    "ranolazine sacubitril ivabradine doxazosin clonidine hydralazine atorvastatin simvastatin "
    "rosuvastatin pravastatin ezetimibe fenofibrate metformin glipizide glimepiride gliclazide "
    "sitagliptin linagliptin empagliflozin dapagliflozin canagliflozin semaglutide liraglutide "
    "dulaglutide insulin pioglitazone levothyroxine methimazole omeprazole pantoprazole "
    "esomeprazole lansoprazole famotidine ondansetron metoclopramide senna docusate macrogol "
    "lactulose bisacodyl albuterol salbutamol salmeterol formoterol tiotropium budesonide "
    "fluticasone beclometasone ipratropium montelukast donepezil memantine rivastigmine "
    "galantamine "
    "levodopa quetiapine risperidone olanzapine haloperidol mirtazapine trazodone amitriptyline "
    "nortriptyline bupropion lorazepam diazepam alprazolam clonazepam zolpidem zopiclone "
    "melatonin "
    "levetiracetam lamotrigine valproate carbamazepine phenytoin tamsulosin finasteride "
    "oxybutynin "
    "solifenacin mirabegron allopurinol colchicine tamoxifen letrozole anastrozole exemestane "
    "bortezomib lenalidomide methotrexate hydroxychloroquine azathioprine folate cyanocobalamin "
    "cephalexin amoxicillin nitrofurantoin trimethoprim ciprofloxacin doxycycline latanoprost "
    "timolol"
)

DRUGS: Final = MappingProxyType(
    dict.fromkeys(_DIRECT.split(), "direct oral anticoagulant")
    | dict.fromkeys(_VITAMIN_K.split(), "vitamin K antagonist")
    | dict.fromkeys(_ANTICOAGULANT.split(), "anticoagulant")
    | dict.fromkeys(_ANTIPLATELET.split(), "antiplatelet")
    | dict.fromkeys(_NSAID.split(), "anti-inflammatory")
    | dict.fromkeys([*_OTHER.split(), "fish oil", "garlic capsules"], "may add to bleeding")
    | dict.fromkeys(_STEROID.split(), "steroid")
    | dict.fromkeys([*_NONE.split(), "vitamin d", "folic acid"], "")
)

BRANDS: Final = MappingProxyType({
    "eliquis": "apixaban", "xarelto": "rivaroxaban", "savaysa": "edoxaban", "lixiana": "edoxaban",
    "pradaxa": "dabigatran", "coumadin": "warfarin", "jantoven": "warfarin", "marevan": "warfarin",
    "marcumar": "phenprocoumon", "falithrom": "phenprocoumon", "sintrom": "acenocoumarol",
    "lovenox": "enoxaparin", "clexane": "enoxaparin", "fragmin": "dalteparin",
    "innohep": "tinzaparin", "arixtra": "fondaparinux", "angiomax": "bivalirudin",
    "plavix": "clopidogrel", "iscover": "clopidogrel", "effient": "prasugrel",
    "efient": "prasugrel", "brilinta": "ticagrelor", "brilique": "ticagrelor",
    "kengreal": "cangrelor", "pletal": "cilostazol", "persantine": "dipyridamole",
    "aggrenox": "dipyridamole",
    "asa": "aspirin", "ass": "aspirin", "acetylsalicylic acid": "aspirin", "ecotrin": "aspirin",
    "bayer aspirin": "aspirin", "baby aspirin": "aspirin", "cardioaspirin": "aspirin",
    "advil": "ibuprofen", "motrin": "ibuprofen", "nurofen": "ibuprofen", "brufen": "ibuprofen",
    "aleve": "naproxen", "naprosyn": "naproxen", "mobic": "meloxicam", "feldene": "piroxicam",
    "voltaren": "diclofenac", "celebrex": "celecoxib", "toradol": "ketorolac",
    "arcoxia": "etoricoxib", "zoloft": "sertraline", "prozac": "fluoxetine", "paxil": "paroxetine",
    "celexa": "citalopram", "lexapro": "escitalopram", "cipralex": "escitalopram",
    "effexor": "venlafaxine", "cymbalta": "duloxetine", "omega": "fish oil",
    "ginkgo biloba": "ginkgo", "medrol": "methylprednisolone", "decortin": "prednisone",
    "tylenol": "paracetamol", "acetaminophen": "paracetamol", "panadol": "paracetamol",
    "oxycontin": "oxycodone", "percocet": "oxycodone", "norco": "hydrocodone",
    "vicodin": "hydrocodone", "ultram": "tramadol", "dilaudid": "hydromorphone",
    "novalgin": "metamizole", "dipyrone": "metamizole", "neurontin": "gabapentin",
    "lyrica": "pregabalin", "flexeril": "cyclobenzaprine", "fosamax": "alendronate",
    "alendronic acid": "alendronate", "actonel": "risedronate", "boniva": "ibandronate",
    "reclast": "zoledronate", "zometa": "zoledronate", "zoledronic acid": "zoledronate",
    "prolia": "denosumab", "xgeva": "denosumab", "forteo": "teriparatide",
    "tymlos": "abaloparatide", "evenity": "romosozumab", "norvasc": "amlodipine",
    "lasix": "furosemide", "furosemid": "furosemide", "toprol": "metoprolol",
    "lopressor": "metoprolol", "coreg": "carvedilol", "cozaar": "losartan", "diovan": "valsartan",
    "entresto": "sacubitril", "lipitor": "atorvastatin", "zocor": "simvastatin",
    "crestor": "rosuvastatin", "glucophage": "metformin", "januvia": "sitagliptin",
    "jardiance": "empagliflozin", "farxiga": "dapagliflozin", "forxiga": "dapagliflozin",
    "ozempic": "semaglutide", "lantus": "insulin", "humalog": "insulin", "novolog": "insulin",
    "synthroid": "levothyroxine", "prilosec": "omeprazole", "protonix": "pantoprazole",
    "nexium": "esomeprazole", "pepcid": "famotidine", "zofran": "ondansetron",
    "miralax": "macrogol", "ventolin": "salbutamol", "spiriva": "tiotropium",
    "aricept": "donepezil", "namenda": "memantine", "sinemet": "levodopa",
    "seroquel": "quetiapine", "remeron": "mirtazapine", "wellbutrin": "bupropion",
    "ativan": "lorazepam", "valium": "diazepam", "xanax": "alprazolam", "ambien": "zolpidem",
    "keppra": "levetiracetam", "flomax": "tamsulosin", "zyloprim": "allopurinol",
    "arimidex": "anastrozole", "femara": "letrozole", "velcade": "bortezomib",
    "revlimid": "lenalidomide", "fish oils": "fish oil", "vitamin d3": "vitamin d",
})  # fmt: skip
