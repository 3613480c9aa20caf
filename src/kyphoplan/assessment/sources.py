"""The sources of the rules: short name and where it is in print."""

from types import MappingProxyType
from typing import Final

SOURCES: Final = MappingProxyType({
    "ACRpp2017": "ACR-ASNR-ASSR-SIR-SNIS practice parameter for vertebral augmentation, 2017",
    "AOcard": "AO Spine-DGOU Osteoporotic Fracture classification and score, pocket card",
    "ASHP2013": "Bratzler, Am J Health Syst Pharm 2013;70:195",
    "BMC3778": "doi:10.1186/s12891-020-03778-1",
    "BMC3810": "doi:10.1186/s12891-020-03810-4",
    "BMCSurg2019": "doi:10.1186/s12893-019-0630-5",
    "Baerlocher2014": "J Vasc Interv Radiol 2014;25:165 (SIR)",
    "Berenson2011": "CAFE, doi:10.1016/S1470-2045(11)70008-0",
    "Boonen2011": "FREE at 24 months, doi:10.1002/jbmr.364",
    "Bouza2006": "doi:10.1007/s00586-005-0048-x",
    "CAFE-CT.gov": "ClinicalTrials.gov NCT00211237",
    "CIRSE2017": "Tsoumakidou, doi:10.1007/s00270-017-1574-8",
    "CockcroftGault": "Cockcroft and Gault 1976",
    "Crouser2018": "doi:10.1016/j.wneu.2018.06.221",
    "Dohm2014": "KAVIAR, AJNR Am J Neuroradiol 2014;35:2227",
    "Firanescu2018": "VERTOS IV, doi:10.1136/bmj.k1551",
    "Fisher2010": "SINS, doi:10.1097/BRS.0b013e3181e16ae2",
    "FractureScout": "European appropriateness panel (fracturescout.com; Anselmetti 2013)",
    "GIRFT2023": "GIRFT cauda equina pathway, 2023",
    "Gupta2011": "doi:10.1161/CIRCULATIONAHA.110.015701",
    "Hashimoto1988": "Spine 1988;13:1268",
    "Hirsch2018": "RAND/UCLA panel (paid by a maker), doi:10.1016/j.spinee.2018.07.025",
    "Hinde2020": "doi:10.1148/radiol.2020191294",
    "IFU-KX": "KyphX instructions for use, M708348B164 (Medtronic)",
    "IFU-StabiliT": "StabiliT operating instructions (Merit Medical)",
    "IPG166": "NICE IPG166, 2006",
    "JDRS2024": "Jt Dis Relat Surg 2024 (unilateral against bilateral, meta-analysis)",
    "JHE2020": "doi:10.1155/2020/3965961",
    "JOSR1459": "doi:10.1186/s13018-019-1459-4",
    "JOSR2472": "doi:10.1186/s13018-021-02472-9",
    "Jorgensen2014": "doi:10.1001/jama.2014.8165",
    "Kepler2016": "doi:10.1055/s-0035-1563610",
    "Kim2020": "doi:10.1177/2192568220976355",
    "KoreaMed2423730": "64 thoracolumbar burst fractures, KoreaMed 2423730",
    "Krueger2010": "Eur Spine J 2010, PMC2899985",
    "LCD": "US Medicare coverage rules L34228, L33569, L34106, L34976, L38213, L38737",
    "Lee1999": "doi:10.1161/01.CIR.100.10.1043",
    "Li2004": "J Musculoskelet Res 2004;8:43",
    "Ma2021": "World J Clin Cases 2021 (recollapse, meta-analysis)",
    "McCullough2013": "doi:10.1001/jamainternmed.2013.8725",
    "Medicina2023": "doi:10.3390/medicina59020240",
    "Mohanty2008": "J Orthop Surg (Hong Kong) 2008;16:20",
    "NASSneo": "NASS appropriate use criteria, neoplastic vertebral fractures",
    "NG234": "NICE NG234, 2023",
    "Narouze2018": "ASRA, doi:10.1097/AAP.0000000000000700",
    "PMC2779435": "TLICS, table in PMC2779435",
    "PMC3395994": "PMC3395994 (372 patients)",
    "PMC3570129": "Kümmell disease stage III, PMC3570129",
    "PMC3669703": "intravertebral cleft, review, PMC3669703",
    "PMC8449924": "cleft against none, 139 pairs, PMC8449924",
    "Palmowski2020": "doi:10.1007/s00586-020-06491-8",
    "Papanastassiou2012": "doi:10.1007/s00586-012-2314-z",
    "Patel2019": "SIR, doi:10.1016/j.jvir.2019.04.017",
    "Perez2021": "Int J Spine Surg 2021;15:353",
    "Pierce2021": "Spine, 15 July 2021",
    "Refracture2022": "doi:10.1186/s13018-022-03038-z",
    "Shin2023": "doi:10.14444/8476",
    "TA279": "NICE TA279, 2013",
    "Thompson2024": "AHA/ACC 2024, doi:10.1161/CIR.0000000000001285",
    "Toy2014": "Spine 2014;39:1943",
    "VanMeirhaeghe2013": "FREE, doi:10.1097/BRS.0b013e31828e8e22",
    "Wardlaw2009": "FREE, doi:10.1016/S0140-6736(09)60010-6",
    "Zhan2017": "doi:10.1016/j.wneu.2017.01.124",
})  # fmt: skip


def cited(*keys: str) -> str:
    """Return the citation of each source, one after the other.

    Raises
    ------
    KeyError
        If a source is not in the list.

    Examples
    --------
    >>> cited("TA279")
    'TA279: NICE TA279, 2013'
    """
    return "; ".join(f"{key}: {SOURCES[key]}" for key in keys)
