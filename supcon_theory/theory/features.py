"""Which of two features a linear encoder keeps under the spectral loss: ours.

Points x = y f1 e1 + s f2 e2 with independent signs y (the class) and s (the subclass), an encoder
W x, u = f1 W e1 and v = f2 W e2, and the population loss over pairs

    -2 E <Wx, Wx+> + E <Wx, Wx->^2.

With positives of the same point (weight w) or of the same class (1 - w) the first term is
-2 (|u|^2 + w |v|^2). With any point for a negative, <Wx, Wx-> = |u|^2 y y' + |v|^2 s s' +
<u, v> (y s' + s y') has the mean square |u|^4 + |v|^4 + 2 <u, v>^2; with one of the other class,
y' = -y, it is -|u|^2 + |v|^2 s s' + <u, v> y (s' - s) and has the same. So the loss is least at

    |u|^2 = 1,   |v|^2 = w,   <u, v> = 0,

whatever the strengths f1, f2: supervision (w = 0) drops the subclass, own views (w = 1) keep it,
and so does a loss that has own views for positives and the other class for negatives, as NSCL has,
although NSCL on the sphere collapses classes. That is a matter of the linear encoder: with free
features r times the indicator of the class that loss falls as -2 r^2, without a bound.
"""

from supcon_theory.theory.counts import require


def kept_energies(own: float) -> tuple[float, float]:
    """Energies |u|^2 of the class and |v|^2 of the subclass at the least spectral loss: (1, w).

    Args:
        own: w, weight of positives of the same point; the rest are any of the class.

    Returns:
        Both energies.

    Example:
        >>> kept_energies(0.5)
        (1.0, 0.5)
    """
    require(0 <= own <= 1, "a weight lies in [0, 1]", own=own)
    return 1.0, float(own)
