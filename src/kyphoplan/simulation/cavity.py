"""The pressure at which a balloon in endless bone grows on and on, in closed form.

Two limits, and the lower one holds. Bone that yields in shear alone has to be pushed aside, far
out (Hill). Bone that crushes makes room: at the balloon's wall no more radial stress can be borne
than the yield surface of Deshpande and Fleck has in any direction.

References
----------
Hill 1950, The Mathematical Theory of Plasticity, ch. 5.
Deshpande & Fleck 2000, J Mech Phys Solids 48:1253, doi:10.1016/S0022-5096(99)00082-4 (surface).
"""

import numpy as np


def pushing_pressure(modulus_mpa: float, poisson: float, yield_mpa: float) -> float:
    """Return Hill's limit [MPa], for bone that keeps its volume: 2/3 Y (1 + ln(E / 3(1-v)Y)).

    Examples
    --------
    >>> round(pushing_pressure(200.0, 0.3, 2.0), 2)
    6.48
    """
    ratio = modulus_mpa / (3.0 * (1.0 - poisson) * yield_mpa)
    return float(2.0 / 3.0 * yield_mpa * (1.0 + np.log(ratio)))


def crushing_pressure(yield_mpa: float, factor: float) -> float:
    """Return the largest radial stress on the yield surface [MPa].

    The largest ``p + 2 q / 3`` with ``q^2 + a^2 p^2 = (1 + a^2 / 9) Y^2``.

    Parameters
    ----------
    factor : a^2, see `plasticity.shape_factor`.

    Examples
    --------
    >>> round(crushing_pressure(1.0, 4.5), 3)
    1.0
    """
    if factor <= 0.0:
        return float("inf")
    return float(yield_mpa * np.sqrt((1.0 + factor / 9.0) * (1.0 / factor + 4.0 / 9.0)))


def growing_pressure(modulus_mpa: float, poisson: float, yield_mpa: float, factor: float) -> float:
    """Return the lower of both limits [MPa]."""
    return min(
        pushing_pressure(modulus_mpa, poisson, yield_mpa), crushing_pressure(yield_mpa, factor)
    )
