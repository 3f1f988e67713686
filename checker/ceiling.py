"""Verifies, with nothing but integers, the inequality that the ceiling of the gap rests on.

    python checker/ceiling.py checker/certificates/ceiling.json

It says: for 0 < xi <= 1/2, 0 < u <= 1/14, 0 < X <= 50, 0 < r <= 1/2, with d = r - u, zeta =
(1 - u) xi/(1 - xi), m = 1 + zeta - r - u, p = uX/(1 - xi + uX) and z = e^{1/xi} (1 - xi)/(2X),

    G d^2 <= (1 - u)/(1 - xi) L (r + u)/2   wherever d m X < 1,
    G = log(2X/(1 - xi)) + 1 - (1 - xi/2) r - 3 X m^2/(2 (3 - d m X)) - 3 zeta/(4 (2u + r)),
    L = log(1 + p (z - 1))/p - log z for z > 1, and 0 for z <= 1

(`docs/proofs.md`, step 4 of the ceiling). The certificate is a string: how the box of (xi, u, X, r)
is halved until on each box the bounds below show the inequality. "0" to "3": halve that variable,
lower half first; ".": done. Units: 2^-128, as in intervals.py.
"""

import json
import sys

from intervals import ONE, exp, log, mul, over, up

WHOLE = ((0, ONE // 2), (0, up(ONE, 14)), (0, 50 * ONE), (0, ONE // 2))
MOST = 40  # e^{1/xi} is replaced by e^40 where it is larger: L rises with z


def low(operation, a, b):
    """A lower bound of a product or quotient of two numbers."""
    return operation((a, a), (b, b))[0]


def high(operation, a, b):
    """An upper bound of a product or quotient of two numbers."""
    return operation((a, a), (b, b))[1]


def largest_G(box):
    """An upper bound of G on a box; None where d m X >= 1 on all of it."""
    (xi_low, xi), (_, u), (X_low, X), (r_low, r) = box
    zeta = low(mul, ONE - u, low(over, xi_low, ONE - xi_low))
    m, d = ONE + zeta - r - u, r_low - u  # X m^2/(3 - d m X) rises with X, m > 0 and d
    y = low(mul, low(mul, d, m), X_low) if d > 0 else low(mul, high(mul, -d, m), -X_low)
    if y >= ONE:
        return None
    pull = low(over, low(mul, X_low, low(mul, m, m)), 3 * ONE - y)
    spread = low(over, zeta, 2 * u + r)
    value = log(high(over, 2 * X, ONE - xi))[1] + ONE - low(mul, ONE - xi // 2 - 1, r_low)
    return value - 3 * pull // 2 - 3 * spread // 4


def least_L(box):
    """A lower bound of L on a box: L rises with z and falls with p."""
    (_, xi), (_, u), (_, X), _ = box
    exponent = min(low(over, ONE, xi), MOST * ONE)
    z = low(over, low(mul, exp(exponent)[0], ONE - xi), 2 * X)
    if z <= ONE:
        return 0
    uX = high(mul, u, X)
    p = high(over, uX, ONE - xi + uX)
    return max(0, low(over, log(ONE + low(mul, p, z - ONE))[0], p) - log(z)[1])


def excess(box):
    """An upper bound of G less its limit on a box; at most 0: the inequality is shown."""
    G = largest_G(box)
    if G is None or G <= 0:
        return 0
    (xi_low, _), (u_low, u), _, (r_low, r) = box
    apart = max(r - u_low, u - r_low)  # at least |d|; (r + u)/d^2 >= 1/max(r, u) as well
    reach = low(over, ONE, 2 * max(r, u))
    reach = max(reach, low(over, r_low + u_low, high(mul, 2 * apart, apart)))
    return G - low(mul, low(mul, low(over, ONE - u, ONE - xi_low), least_L(box)), reach)


def halves(box, k):
    """Two boxes: the lower and the upper half in variable k."""
    middle = sum(box[k]) // 2
    for part in ((box[k][0], middle), (middle, box[k][1])):
        yield (*box[:k], part, *box[k + 1 :])


def verify(certificate):
    """Why the certificate proves nothing, in words; "" if it does prove the inequality."""
    if type(certificate) is not str or not set(certificate) <= set("0123."):
        return "it must be a string of 0, 1, 2, 3 and dots"
    waiting = [WHOLE]
    for i, step in enumerate(certificate):
        if not waiting:
            return f"it must end after {i} characters, where the whole box is done"
        box = waiting.pop()
        if step != ".":
            waiting += [*halves(box, int(step))][::-1]
        elif excess(box) > 0:
            return f"character {i}: the inequality is not shown on this box"
    return f"it must go on: {len(waiting)} boxes are left" if waiting else ""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(verify(json.load(file)) or print("verified"))
