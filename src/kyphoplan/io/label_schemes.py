"""The label schemes of the segmentation tools we accept: which value is which vertebra.

One table; `docs/reference/label-schemes.md` is checked against it. The same value means different
bones in different schemes (20 is L1 in VerSe and L3 in TotalSegmentator v1), so that a scheme is
always stated or proven, never guessed.

References
----------
VerSe, SPINEPS: Sekuboyina 2021, doi:10.1016/j.media.2021.102166; Moeller 2025,
doi:10.1007/s00330-024-11155-y; label names of the package TPTBox (``Vertebra_Instance``).
TotalSegmentator: Wasserthal 2023, doi:10.1148/ryai.230024; the package's
``totalsegmentator/map_to_binary.py`` (classes ``total`` of version 1, 2 and 3, ``vertebrae_pp``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kyphoplan.case import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """The numbering of one segmentation tool.

    Attributes
    ----------
    levels : label value -> level.
    ignored : values of the spine that are no level of ours, such as sacrum or coccyx.
    tool : who writes it.
    """

    name: str
    levels: Mapping[int, Level]
    ignored: frozenset[int] = field(default_factory=frozenset)
    tool: str

    def __post_init__(self) -> None:
        """Freeze the table."""
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))

    def value_of(self, level: Level) -> int:
        """Return the label value of a level; KeyError if the scheme does not have it."""
        for value, named in self.levels.items():
            if named is level:
                return value
        raise KeyError(str(level))


CERVICAL = tuple(level for level in Level if level.region == "cervical")
THORACIC = tuple(level for level in Level if level.region == "thoracic" and level != Level.T13)
LUMBAR = tuple(level for level in Level if level.region == "lumbar" and level != Level.L6)
_DOWN = CERVICAL + THORACIC + LUMBAR
_UP = _DOWN[::-1]


def _count(first: int, levels: tuple[Level, ...]) -> dict[int, Level]:
    return dict(enumerate(levels, start=first))


VERSE = Scheme(
    name="verse",
    levels={**_count(1, _DOWN), 25: Level.L6, 26: Level.S1, 28: Level.T13},
    ignored=frozenset({27, *range(29, 33)}),  # coccyx; S2 to S5
    tool="VerSe challenge; SPINEPS and VERIDAH vertebra masks (seg-vert)",
)
TOTALSEG = Scheme(
    name="totalseg",
    levels={26: Level.S1, **_count(27, _UP)},
    ignored=frozenset({25}),  # sacrum
    tool="TotalSegmentator version 2, task total",
)
TOTALSEG_V1 = Scheme(
    name="totalseg_v1",
    levels=_count(18, _UP),
    tool="TotalSegmentator version 1, task total",
)
TOTALSEG_V3 = Scheme(
    name="totalseg_v3",
    levels={26: Level.L6, **_count(27, _UP)},
    ignored=frozenset({25}),  # sacrum
    tool="TotalSegmentator, task total_v3",
)
VERTEBRAE_PP = Scheme(
    name="vertebrae_pp",
    levels=_count(1, _DOWN),
    tool="TotalSegmentator, tasks vertebrae_pp and vertebrae_pp_refined",
)

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {s.name: s for s in (VERSE, TOTALSEG, TOTALSEG_V1, TOTALSEG_V3, VERTEBRAE_PP)}
)

SUBREGIONS = "spineps_subregions"
SUBREGION_BODY = (49, 50)  # corpus border, corpus
SUBREGION_BONE = tuple(range(41, 51))  # arch, processes, body: TPTBox Location 41-50
SUBREGION_SOFT = frozenset({26, 60, 61, 62, 100})  # sacrum, cord, canal, endplate, disc

SCHEME_NAMES = (*SCHEMES, SUBREGIONS)
