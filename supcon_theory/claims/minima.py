"""Claims on free embeddings: the minimum of NSCL and its geometry (B2), controls (B3), the ceiling.

The tables are those of `training.ends`, one row per start, told apart by the column `part`.
"""

from supcon_theory.claims import Claim, obeys, select
from supcon_theory.claims.minimiser_checks import (
    REACHED,
    ROUNDING,
    attained,
    best_of,
    certified,
    every_start,
    flat,
    landscape,
    roomy,
    settled,
)

PAPER = "arXiv 2506.04411, Theorem 2"


def minimiser_claims() -> list[Claim]:
    imbalance, instances = best_of("imbalance"), best_of("dcl")
    return [
        Claim(
            "B2",
            "no start is below L*; the best reaches it, collapsed to a simplex ETF (K = 1 too)",
            PAPER,
            "theorem",
            attained,
        ),
        Claim(
            "B2-constructed",
            "the constructed class simplex has the value L* exactly",
            PAPER,
            "theorem",
            obeys({"distance": 1e-10}, {"part": "constructed"}),
        ),
        Claim(
            "B2-room",
            "with d >= C+2 and tau >= .1 every start reaches the minimum",
            "own",
            "conjecture",
            every_start(roomy),
        ),
        Claim(
            "B2-supcon",
            "supcon has no spurious minimum, down to d = C-1",
            "own; arXiv 2402.18884",
            "conjecture",
            every_start(lambda t: select(landscape(t), {"objective": "supcon"})),
        ),
        Claim(
            "B2-spurious",
            "nscl has strict spurious local minima near d = C-1: at least two",
            "own",
            "counterexample",
            certified,
        ),
        Claim(
            "B3-dimension",
            "d < C-1: every start stays above L*",
            PAPER,
            "theorem",
            settled(flat, obeys({"shortfall": -1e-6}, flat)),
        ),
        Claim(
            "B3-imbalance",
            "unequal classes: collapse stays, the simplex ETF goes",
            "own proof",
            "theorem",
            settled(
                imbalance,
                obeys(
                    {
                        "augmentation_variance": 1e-8,
                        "within_class_variance": 1e-8,
                        "etf_excess": 0,
                        "above_class_simplex": -1e-3,
                        "shortfall": ROUNDING,
                    },
                    imbalance,
                ),
            ),
        ),
        Claim(
            "B3-dcl",
            "dcl: N-point simplex, CDNV = (n-1)/2, directional CDNV = 0, gap = "
            "log(1 + (n-1)/(N-n)) for any balanced labels; class means form an exact ETF too",
            "own proof",
            "theorem",
            settled(
                instances,
                obeys(
                    {
                        "excess": REACHED,
                        "shortfall": ROUNDING,
                        "cdnv_error": 1e-5,
                        "directional_cdnv": 1e-8,
                        "gap_error": 1e-7,
                        "etf_deviation": 1e-5,
                    },
                    instances,
                ),
            ),
        ),
        Claim(
            "B3-saddle",
            "the class simplex: a strict saddle of dcl, spread by views moved together",
            "own",
            "theorem",
            obeys(
                {"critical_gradient": 1e-10, "smallest": -1e-3, "along": -1e-3},
                {"part": "class simplex", "objective": "dcl"},
            ),
        ),
        Claim(
            "B3-minimum",
            "the class simplex: a minimum of nscl, strict but for rotations",
            PAPER,
            "theorem",
            obeys(
                {"critical_gradient": 1e-10, "descent": -1e-3},
                {"part": "class simplex", "objective": "nscl"},
            ),
        ),
        Claim(
            "A5-ascent",
            "no start climbs above the collapsed-ETF ceiling of the gap, where proved",
            "own proof",
            "theorem",
            obeys({"excess": ROUNDING}, {"part": "ascent", "ceiling": "proved"}),
        ),
        Claim(
            "A5-ascent-open",
            "no start climbs above the ceiling where its proof does not reach",
            "conjecture",
            "conjecture",
            obeys({"excess": ROUNDING}, {"part": "ascent", "ceiling": "fails"}),
        ),
    ]
