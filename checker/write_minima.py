"""Writes the certificates that `minimum.py` verifies: python checker/write_minima.py.

The lowest spurious minimum of NSCL that Gaussian starts end in, for each setting below; uses the
suite to find them. What it writes proves itself: nothing here has to be trusted.
"""

import json
import sys
from pathlib import Path

import torch
from minimum import UNIT, verify

from supcon_theory.audits.critical_points import curvature_row
from supcon_theory.audits.studies import Study
from supcon_theory.free.polish import polished

FOLDER = Path(__file__).parent / "certificates"
SETTINGS = [  # C, n, K, d, tau = p/q
    *((4, 2, 1, 3, (1, 1)), (4, 5, 2, 3, (1, 10)), (4, 5, 2, 4, (1, 10)), (4, 5, 2, 3, (1, 1))),
    *((5, 4, 1, 4, (1, 10)), (5, 4, 1, 4, (1, 1)), (6, 3, 3, 5, (1, 10)), (6, 3, 3, 5, (1, 1))),
]
ABOVE, LONGEST = 1e-3, 1e-12  # excess that no rounding explains; norm of a polished gradient


def certificate(C, n, K, d, tau, seeds=40):
    """The certificate of the lowest spurious minimum."""
    study = Study("spurious", C=C, n=n, K=K, d=d, taus=(tau[0] / tau[1],), seeds=seeds)
    y, floor = study.labels, study.minimum("nscl", study.tau)
    z, found = study.minimised("nscl", study.tau)
    over = torch.where((found.value - floor > ABOVE) & ~found.stalled, found.value, torch.inf)
    z = polished("nscl", z[int(over.argmin())], y, study.tau)
    row, _ = curvature_row(z, y, "nscl", study.tau, floor=floor)
    return {
        **{"C": C, "n": n, "K": K, "tau": list(tau)},
        "rows": [[round(x * 2**52) for x in row] for row in z.reshape(-1, d).tolist()],
        "gradient": int(LONGEST * UNIT),
        "curvature": int(row["smallest_but_rotations"] * (1 - 1e-6) * UNIT),
        "excess": int((row["excess"] - 1e-9) * UNIT),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for C, n, K, d, tau in SETTINGS:
        found = certificate(C, n, K, d, tau)
        if why := verify(found):
            sys.exit(f"C = {C}, n = {n}, K = {K}, d = {d}, tau = {tau}: {why}")
        path = FOLDER / f"minimum-{C}-{n}-{K}-{d}-{tau[1]}.json"
        path.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        print(path.name, f"{found['excess'] / UNIT:.6g} nats")
