"""Published body heights per level: the last resort when no intact neighbour is in the scan."""

from kyphoplan.case import Level

# Anterior and posterior height [mm] and SD between people [mm].
# L1-L5: Bonczar 2024 meta-analysis (n = 1481), SD 2.3 mm between people as in Duman 2026.
# T12: Duman 2026 (CT), mean of men 23.61 / 24.83 and women 21.09 / 22.19 mm.
HEIGHTS_MM: dict[Level, tuple[float, float]] = {
    Level.T12: (22.35, 23.51),
    Level.L1: (24.54, 26.57),
    Level.L2: (25.75, 27.02),
    Level.L3: (26.83, 26.67),
    Level.L4: (26.86, 25.76),
    Level.L5: (27.44, 24.11),
}
BETWEEN_PEOPLE_SD_MM = 2.6  # [mm] pooled SD 2.1 mm and the difference of men and women, halved

# T1-T11 relative to T12 [1]: trend of body heights after Tan 2004 and Panjabi 1991 in a secondary
# table (not checked against the papers); hence the wider interval.
THORACIC_RATIO: dict[Level, float] = {
    Level.T1: 0.652,
    Level.T2: 0.707,
    Level.T3: 0.710,
    Level.T4: 0.734,
    Level.T5: 0.762,
    Level.T6: 0.790,
    Level.T7: 0.807,
    Level.T8: 0.828,
    Level.T9: 0.838,
    Level.T10: 0.886,
    Level.T11: 0.948,
}
THORACIC_SD_MM = 3.5  # [mm] as above, and the secondary source
MIDDLE_RATIO = 0.95  # [1] middle over mean of anterior and posterior; mild concavity (ours)


def norm_heights(level: Level) -> tuple[tuple[float, float, float], float, str] | None:
    """Return anterior, middle, posterior height [mm], their SD [mm] and the source of a level.

    None for cervical and sacral levels and for T13 and L6, of which no norm is at hand.

    Examples
    --------
    >>> norm_heights(Level.L1)[0]
    (24.54, 24.28, 26.57)
    >>> norm_heights(Level.C5) is None
    True
    """
    if level in HEIGHTS_MM:
        anterior, posterior = HEIGHTS_MM[level]
        sd, source = BETWEEN_PEOPLE_SD_MM, "level norm (Bonczar 2024, Duman 2026)"
    elif level in THORACIC_RATIO:
        anterior, posterior = (THORACIC_RATIO[level] * h for h in HEIGHTS_MM[Level.T12])
        sd, source = THORACIC_SD_MM, "level norm (trend from a secondary table)"
    else:
        return None
    middle = MIDDLE_RATIO * 0.5 * (anterior + posterior)
    return (anterior, round(middle, 2), posterior), sd, source


# Width and antero-posterior size of the canal [mm]: Panjabi 1991 (thoracic) and 1992 (lumbar).
CANAL_MM: dict[Level, tuple[float, float]] = {
    Level.T11: (19.4, 16.0),
    Level.T12: (22.2, 18.1),
    Level.L1: (23.7, 19.0),
    Level.L2: (23.8, 18.2),
    Level.L3: (24.3, 17.5),
    Level.L4: (25.4, 18.6),
    Level.L5: (27.1, 19.7),
}


def canal_trend(level: Level) -> float:
    """Return how large the canal of a level usually is, relative to T11 [1].

    Ratio of width times depth; 1 above T11, where the canal hardly changes.

    Examples
    --------
    >>> round(canal_trend(Level.L1), 2), canal_trend(Level.T8)
    (1.45, 1.0)
    """
    width, depth = CANAL_MM.get(level, CANAL_MM[Level.T11] if level < Level.L1 else (27.1, 19.7))
    return width * depth / (CANAL_MM[Level.T11][0] * CANAL_MM[Level.T11][1])
