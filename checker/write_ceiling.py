"""Writes the certificate that `ceiling.py` verifies: python checker/write_ceiling.py.

Halves the box of all parameters, each time in the variable that leaves the least excess, until the
verifier's own bounds show the inequality everywhere. What it writes proves itself: nothing here has
to be trusted.
"""

import json
from pathlib import Path

from ceiling import WHOLE, excess, halves

PLACE = Path(__file__).parent / "certificates" / "ceiling.json"


def certificate():
    """How the whole box is halved, in the order in which the verifier goes through it."""
    found, waiting = "", [WHOLE]
    while waiting:
        box = waiting.pop()
        if excess(box) <= 0:
            found += "."
            continue
        k = min(range(4), key=lambda k: sum(max(excess(part), 0) for part in halves(box, k)))
        found += str(k)
        waiting += [*halves(box, k)][::-1]
    return found


if __name__ == "__main__":
    PLACE.write_text(json.dumps(certificate()) + "\n", encoding="utf-8")
