"""Writes the certificate that `ceiling.py` verifies: python checker/write_ceiling.py.

Bisects c and S until the verifier's own inequality holds on every cell. What it writes proves
itself: nothing here has to be trusted.
"""

import json
from pathlib import Path

from ceiling import UNIT, holds, log_inverse_kappa
from intervals import BITS

FOLDER = Path(__file__).parent / "certificates"
SHIFT = BITS - UNIT
FINEST = 1 << UNIT >> 10  # the narrowest cell of S that is tried before c is bisected


def cells(ell, c):
    """A partition of [0, 1] on which F is shown to be at least 0, or None."""
    edges, convex, waiting = [0], 0, [(0, 1 << UNIT)]
    while waiting:
        low, high = waiting.pop()
        S = low << SHIFT, high << SHIFT
        if convex == len(edges) - 1 and holds(ell, c, S, True):
            convex += 1
        elif not holds(ell, c, S, False):
            if high - low <= FINEST:
                return None
            middle = (low + high) // 2
            waiting += [(middle, high), (low, middle)]
            continue
        edges.append(high)
    return {"S": edges, "convex": convex}


def certificate(C, n, low, high):
    """The certificate for C classes of n samples, c between two numbers."""
    ell, edges, strips = log_inverse_kappa(C, n), [round(low * (1 << UNIT))], []
    waiting = [(edges[0], round(high * (1 << UNIT)))]
    while waiting:
        start, end = waiting.pop()
        strip = cells(ell, (start << SHIFT, end << SHIFT))
        if strip is None:
            middle = (start + end) // 2
            if middle == start:
                raise ValueError(f"c = {start / (1 << UNIT):g}: F is not shown to be at least 0")
            waiting += [(middle, end), (start, middle)]
        else:
            edges.append(end)
            strips.append(strip)
    return {"C": C, "n": n, "c": edges, "strips": strips}


if __name__ == "__main__":
    C, n = 20, 2  # the tangent fails from tau = .327 to .673; from 1/2 on it is not needed
    low, high = (C / ((C - 1) * tau) for tau in (0.501, 0.32))
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(certificate(C, n, low, high), separators=(",", ":"))
    (FOLDER / f"ceiling-{C}-{n}.json").write_text(text + "\n", encoding="utf-8")
