"""Published sizes of the vertebrae T5 to L5 [mm], smoothed to one plausible adult.

References
----------
Panjabi MM et al. Thoracic human vertebrae. Spine 1991;16:888. doi:10.1097/00007632-199108000-00006
Panjabi MM et al. Human lumbar vertebrae. Spine 1992;17:299. doi:10.1097/00007632-199203000-00010
Zindrick MR et al. Analysis of the morphometric characteristics of the thoracic and lumbar
pedicles. Spine 1987;12:160. doi:10.1097/00007632-198703000-00012
Bonczar 2024, lumbar body heights, meta-analysis of 1481 people.
Duman 2026, T12 body heights in CT, men.
Bach 2019, lumbar disc heights, men.
Lien SB et al. Eur Spine J 2007;16:1215, pedicle heights (read second-hand).
Kaur K et al. J Clin Orthop Trauma 2016;7:101. doi:10.1016/j.jcot.2015.12.002 (T5-T8 pedicle widths
read second-hand, canal and angle of the spinous process in its abstract).
Christodoulou A et al. Clin Anat 2005;18:404, abstract: the narrowest pedicle is T5's, 5.1 mm.
Egwu OA et al. J Anat Soc India 2019;68:110. doi:10.4103/JASI.JASI_8_19, abstract: heights to T9.
"""

from dataclasses import dataclass

from kyphoplan.case import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of one vertebra [mm] and the angles of its pedicles [deg].

    Attributes
    ----------
    width, depth : superior endplate, transverse and antero-posterior (Panjabi 1991/92).
    anterior, posterior : body heights at the rims (Bonczar 2024; T12 Duman 2026).
    canal_width, canal_depth : spinal canal (Panjabi 1991/92).
    pedicle_width, pedicle_height : at the isthmus (Panjabi, Zindrick 1987; Lien 2007).
    disc : height of the disc below (L: Bach 2019).
    disc_lordosis_deg : angle of the disc below, positive when open in front (chosen).
    """

    width: float
    depth: float
    anterior: float
    posterior: float
    canal_width: float
    canal_depth: float
    pedicle_width: float
    pedicle_height: float
    disc: float
    disc_lordosis_deg: float


def _row(*numbers: float) -> Sizes:
    return Sizes(**dict(zip(Sizes.__slots__, numbers, strict=True)))


# Heights of T9-T11, widths and canals of T9-T10 and discs above T12-L1 carry the table on with the
# trend of the levels below. T11 pedicle: 8.6, between 7.8 (Zindrick) and 9.75 (Panjabi).
# T13 is the mean of T12 and L1; L6 repeats L5.
# T5-T8: widths and posterior heights follow the course from T5 to T9 of a second-hand table after
# Panjabi 1991 and Tan 2004, scaled to meet T9; depths fall on by 1.2 mm a level as from T12 to T9;
# anterior heights stay 1 mm less than posterior ones, as at T9; canals stay nearly as at T9, since
# the canal is narrowest from T4 to T7 (Panjabi 1991, Kaur 2016). Pedicles: Kaur 2016, Lien 2007.
SIZES = {
    Level.T5: _row(23.7, 24.5, 17.9, 18.9, 17.4, 15.6, 5.0, 10.6, 3.6, 0.0),
    Level.T6: _row(24.7, 25.7, 18.6, 19.6, 17.4, 15.6, 5.5, 10.2, 3.7, 0.0),
    Level.T7: _row(26.7, 26.9, 19.0, 20.0, 17.4, 15.5, 6.0, 10.4, 3.8, 0.0),
    Level.T8: _row(27.9, 28.1, 19.5, 20.5, 17.6, 15.5, 6.3, 10.9, 3.9, 0.0),
    Level.T9: _row(29.2, 29.3, 19.8, 20.8, 17.9, 15.5, 6.5, 12.0, 4.0, 0.0),
    Level.T10: _row(31.9, 30.5, 20.9, 22.0, 18.2, 15.6, 7.0, 13.4, 4.3, 0.0),
    Level.T11: _row(35.2, 31.9, 22.4, 23.5, 19.4, 16.0, 8.6, 14.6, 4.8, 0.0),
    Level.T12: _row(39.2, 32.8, 23.6, 24.8, 22.2, 18.1, 8.7, 15.0, 5.6, 1.0),
    Level.T13: _row(40.2, 33.5, 24.1, 25.7, 23.0, 18.5, 8.7, 15.1, 6.2, 2.0),
    Level.L1: _row(41.2, 34.1, 24.5, 26.6, 23.7, 19.0, 8.6, 15.2, 6.9, 4.0),
    Level.L2: _row(42.6, 34.6, 25.8, 27.0, 23.8, 18.2, 8.9, 14.9, 8.1, 6.0),
    Level.L3: _row(44.1, 35.2, 26.8, 26.7, 24.3, 17.5, 10.3, 14.5, 8.7, 8.0),
    Level.L4: _row(46.6, 35.5, 26.9, 25.8, 25.4, 18.6, 12.9, 14.2, 9.2, 11.0),
    Level.L5: _row(47.3, 34.7, 27.4, 24.1, 27.1, 19.7, 16.1, 14.7, 8.8, 12.0),
    Level.L6: _row(47.3, 34.7, 27.4, 24.1, 27.1, 19.7, 16.1, 14.7, 8.8, 12.0),
}
