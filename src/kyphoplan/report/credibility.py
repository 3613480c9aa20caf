"""How far a rehearsal may be trusted: question, use, risk, what was verified, what was compared.

The order is that of ASME V&V 40 for computational models of medical devices.
"""

from dataclasses import dataclass

QUESTION = (
    "What pressure, void, height, cement and leaks are likely if this plan is carried out on this "
    "vertebra, and how surely?"
)
CONTEXT = (
    "Teaching, research and the comparison of plans. Not a basis for treating a patient, and "
    "never a reason to inflate or inject beyond what fluoroscopy and the device's pack allow."
)
RISK = (
    "High if it were believed alone: a wrong pressure or leak could hurt the spinal cord. So "
    "every figure is a range and a leak a probability; what lies outside the domain is refused."
)
DOMAIN = (
    "Bodies T5 to L5 in a CT with slices up to 3 mm, no earlier cement or metal, balloons of up "
    "to 6 ml. Beyond it, or where no vertebra or cannula was accepted, a level is not rehearsed "
    "and the reason is told. Not in the model, and not seen by the program: tumours, burst "
    "fragments that move, fluid in a cleft, the spinal cord, heat, blood flow, healing."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One comparison.

    Attributes
    ----------
    kind : verification (are the equations solved), validation (against a measurement),
        plausibility (in the range of others), calibration (a number of the model was taken from
        there), or assumption.
    """

    what: str
    target: str
    ours: str
    kind: str


def _verified(what: str, target: str, ours: str) -> Check:
    return Check(what=what, target=target, ours=ours, kind="verification")


def _compared(what: str, target: str, ours: str, kind: str = "plausibility") -> Check:
    return Check(what=what, target=target, ours=ours, kind=kind)


EQUATIONS = (
    _verified(
        "sphere in elastic bone (Lame), displacement outside",
        "3 %",
        "0.8 % at 4 voxels of radius, 1.4 % at 3, 0.1 % at 8, as the mean beyond 1.3 radii in "
        "bone without end; 3.9 % at 2",
    ),
    _verified(
        "ball of crushing bone, pressure at 4.5 mm, against one dimension",
        "3 %",
        "0.6 % too high at 1 mm, 1.5 % at 1.5 mm, 0.7 % at 2 mm; as the mean on the way from 3.3 "
        "mm 0.5, 2.6 and 4.3 %: order 3 (before, up to 5 % at 1 mm and 14 % at 2 mm); 1.4 % at "
        "2.6 voxels of radius",
    ),
    _verified(
        "ball of rubble (tension 0.03), pressure at 2.6 mm, against one dimension",
        "3 %",
        "2.4 % too high at 1 mm, whole bone 1.4 % at that radius; 0.93 of whole bone's pressure, "
        "0.92 in one dimension",
    ),
    _verified(
        "ball of bone that keeps its volume (Hill), pressure",
        "3 %",
        "0.6 % too high at 3 voxels of radius in bone without end (up to 4 % on the way), at a "
        "modulus of 50 yield stresses; the shells it is compared with come to Hill's limit",
    ),
    _verified(
        "stress and density around the crushing ball",
        "-",
        "density and radial stress 1 to 3 %; hoop stress within 0.1 MPa from half a voxel outside "
        "the wall, up to 0.35 MPa off nearer",
    ),
    _verified("volume of a balloon", "0.5 %", "1e-6"),
    _verified(
        "work in = stored + crushing",
        "2 %",
        "at 1 mm 1.5 % are missing in even bone (radius 2.6 mm; 1.2 % at 4.5 mm), 1.0 % in "
        "rubble, 0.7 % in the phantom with full balloons, 2.0 % in verse012 L1; missed in "
        "bone that keeps its volume (2.8 %), at 2 mm (2.6 %, in broken bodies up to 4 %) and "
        "while the first 0.05 ml go in (up to 10 %); reported with each increment",
    ),
    _verified(
        "void = balloon less its elastic recoil, ball of crushing bone of 2.6 mm",
        "-",
        "recoil 1.62 % of the volume, 1.54 % in one dimension",
    ),
    _verified(
        "radial flow of cement at 1 mm: radius of its front, its pressure",
        "2 %, 5 %",
        "0.3 %, 2.6 % (shear-thinning 4.3 %); order 2.0 over 2, 1 and 0.5 mm",
    ),
    _verified("cement injected = cement found", "1e-6", "rounding"),
)
OTHERS = (
    _compared(
        "pressure at 3 ml in bodies crushed to 80 % (15 of young men, pubmed 16762891)",
        "8.5 +- 1.9 bar",
        "7.2 and 10.4 bar at 2.95 ml with every usual value, 7.9 and 9.6 if freshly broken (23 "
        "at most, while the first tenths of a millilitre go in); in a body alone of 90 mg/cm3, "
        "not a young man's, at 2 mm",
        "validation",
    ),
    _compared(
        "pressure of balloons in patients",
        "below the device's 400 psi (27.6 bar)",
        "a balloon stops there; 14 bar at most in the phantom of `make demo` at 1 mm, 11 in the "
        "end; 27 in verse012 L1, where a balloon stops",
    ),
    _compared(
        "load that crushed bodies bear when pressed again (Wegrzyn 2011, PMC3179325)",
        "0.89 +- 0.19 of before",
        "0.74 at 2 mm, 0.96 at 3 mm; the share of crushed bone is taken from there, that of the "
        "shell is not",
        "calibration",
    ),
    _compared(
        "their stiffness",
        "0.47 +- 0.18 of before",
        "0.64 at 2 mm, 0.70 at 3 mm; the share of crushed bone is derived from there",
        "calibration",
    ),
    _compared(
        "cement that restores the strength of broken bodies (Molloy 2003, 120 bodies)",
        "16.2 % of the body",
        "11 % at 2 mm; rises with each step of cement",
    ),
    _compared(
        "cement that restores their stiffness",
        "29.8 % of the body",
        "12 % at 2 mm; rises with each step of cement; theirs scatter widely (r2 0.21 to 0.27)",
    ),
    _compared(
        "endplate lifted, broken ring against whole (kept 0.05 against 1)",
        "more",
        "7 times as much on average, 8 times where most, at 0.7 ml each",
    ),
    _compared(
        "stiffer bone, the same pressure (20 bar)",
        "smaller void",
        "0.198 ml (all of it), 0.043 and 0.035 ml in cubes of 80, 90 and 120 mg/cm3 at 1 mm",
    ),
    _compared(
        "height regained by balloons in a body alone (Belkoff 2001)",
        "97 % of what was lost, 2.5 +- 0.7 mm; cement alone 30 %",
        "7.1 mm or 87 % in front, 3.4 mm on average and 7.2 mm where most at 5 ml (theirs is a "
        "mean of six places around the body); cement alone lifts nothing here, by construction",
    ),
    _compared(
        "height regained in patients (Winkelmann 2018, PMC6147886)",
        "front 1.5 +- 2.9, middle 2.1 +- 2.9, back 0.9 +- 2.1 mm",
        "within the band: in the phantom at 0.9 ml each 1.5, 0.5 and 0.0 mm in the midline, 0.9 "
        "mm on average and 2.0 mm over a balloon (at 2 mm: 0.6, 0.3 and 0.0, 0.4 and 0.9 mm); in "
        "patients posture adds to it (Xu 2014, 10.3174/ajnr.A3617: all of it)",
    ),
    _compared(
        "angle corrected in patients (FREE, PMC3678891; Winkelmann 2018)",
        "3.1, 1.3 +- 3.3 degrees",
        "3.7 degrees of wedge in the phantom at 0.9 ml each at 1 mm, 1.5 at 2 mm; 11 in a body "
        "alone at 1.5 ml each",
    ),
    _compared(
        "order of leaked mass by viscosity and waiting (Habib 2010)",
        "4.0 > 2.6 > 1.5 > 0.92 g",
        "the same order, 0.93 to 0.59 ml; falls by a third, theirs by three quarters: by "
        "more than half if the marrow is a hundred times as viscous; theirs is not known",
    ),
    _compared(
        "leaks with high over low viscosity (PMC5895344)",
        "risk ratio 0.38",
        "ratio of mean volumes 0.42 in a small body; of a vertebroplasty 19 of 40 draws over 21 "
        "of 40: too little",
    ),
    _compared(
        "levels with cement outside on CT (VERTOS II vertebroplasty; KAVIAR kyphoplasty)",
        "64 of 80; 157 of 214",
        "missed: 21 of 40 draws of a vertebroplasty (low viscosity, 4.3 ml, two needles; other "
        "ways 17 to 28), 6 of 40 into discs, theirs 22 of 80; kyphoplasty (high viscosity), "
        "voids and lifts as each draw's balloons left them, 6 of 40 as planned (3.5 ml), 15 of "
        "40 with 4.8 ml, 23 of 40 with up to 7 ml; causes stand in docs/reference/cement.md",
    ),
    _compared(
        "hard cement in bone adds nothing by the bone (Kinzl 2012)",
        "modulus of cement",
        "taken over as the rule",
        "assumption",
    ),
)
CHECKS = EQUATIONS + OTHERS
