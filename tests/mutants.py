"""Mistakes that a person makes in these formulas, each with the test that finds it.

python tests/mutants.py            applies each in turn to a copy and runs the tests of its room
python tests/mutants.py 3 17       some of them

Ends with 1 if one survives, or another test than the one named finds it first (unless --write
is given). Each mutant is a process forked from one that has PyTorch loaded.
"""

import argparse
import sys
from typing import NamedTuple

from mutated import changed, copied, killer


class Mutant(NamedTuple):
    """What is wrong, the text it takes the place of, the tests to run, and the first that fails."""

    what: str
    file: str
    right: str
    wrong: str
    tests: str
    killer: str = ""


LOOPS, SETS = "tests/objectives/test_loop_references.py", "tests/pairs/test_sets.py"
GAP, MINIMA, FEW = (f"tests/theory/test_{x}.py" for x in ("gap", "minima", "few_shot"))
MUTANTS = (
    # pairs: who is paired with whom
    Mutant(
        "own rows counted as negatives",
        "pairs/sets.py",
        "K * (N - n), ",
        "K * N, ",
        SETS,
        "test_sizes_are_counts_of_the_rows",
    ),
    Mutant(
        "other views of a sample lack none",
        "pairs/sets.py",
        "K - 1, ",
        "K, ",
        SETS,
        "test_sizes_are_counts_of_the_rows",
    ),
    Mutant(
        "an anchor is a positive of its own",
        "pairs/sets.py",
        "K * n - 1",
        "K * n",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "its own term stays in the mean",
        "pairs/batch.py",
        "/ (self.K - 1)",
        "/ self.K",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "its own row stays in the sum over P",
        *("pairs/batch.py", "index_select(0, classes)[:, None] - self.x)"),
        *("index_select(0, classes)[:, None])", LOOPS),
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "same class for another class",
        "pairs/dense.py",
        "[:, None] != ",
        "[:, None] == ",
        SETS,
        "test_log_sums_of_every_set_equal_a_loop",
    ),
    # objectives: one formula each
    Mutant(
        "NSCL with its own class in the denominator",
        *(
            "objectives/decoupled.py",
            'b.log_sum("oth") - b.mean_own(with',
            'b.log_sum("ins") - b.mean_own(with',
        ),
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "the sign of the coupling",
        "objectives/coupled.py",
        "log_negatives - b.own()",
        "b.own() - log_negatives",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "a sum where there is a mean",
        "objectives/coupled.py",
        "- b.own()).mean(-1)",
        "- b.own()).sum(-1)",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "no size in the logarithm of a mean",
        "objectives/coupled.py",
        ' - b.log_size("P")',
        "",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "DHEL's logarithm once",
        "objectives/decoupled.py",
        "2 * b.log_sum",
        "b.log_sum",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "tau+ twice",
        "objectives/hard_negatives.py",
        "- tau_plus * torch",
        "- 2 * tau_plus * torch",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "no 1 - tau+",
        "objectives/hard_negatives.py",
        "log() - math.log1p(-tau_plus)",
        "log()",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    Mutant(
        "a hinge that is open below the margin only",
        "objectives/pairwise.py",
        "- margin * positive.to(x)",
        "+ margin * positive.to(x)",
        LOOPS,
        "test_an_objective_equals_its_loops",
    ),
    # theory: numbers
    Mutant(
        "n for n - 1 in kappa",
        "theory/counts.py",
        "(1 - 1 / n) / (C - 1)",
        "1 / (C - 1)",
        GAP,
        "test_low_temperatures_neither_overflow_nor_lose_the_offset",
    ),
    Mutant(
        "C for C - 1 in kappa",
        "theory/counts.py",
        "(1 - 1 / n) / (C - 1)",
        "(1 - 1 / n) / C",
        GAP,
        "test_the_three_level_ruler_at_temperature_one",
    ),
    Mutant(
        "e^(1/tau) for e^(2/tau)",
        "theory/gap.py",
        "anchor_kappa(n_c, N)) + 2 / tau",
        "anchor_kappa(n_c, N)) + 1 / tau",
        GAP,
        "test_anchor_bounds_equal_a_loop_over_worst_cosines",
    ),
    Mutant(
        "the lower bound is the upper",
        "theory/gap.py",
        "N)) - 2 / tau",
        "N)) + 2 / tau",
        GAP,
        "test_anchor_bounds_equal_a_loop_over_worst_cosines",
    ),
    Mutant(
        "C - 1 for C in the exponent",
        "theory/minima.py",
        "np.log(K * n * (C - 1)) - C / ((C - 1) * tau)",
        "np.log(K * n * (C - 1)) - 1 / tau",
        MINIMA,
        "test_each_minimum_is_the_loss_at_its_simplex",
    ),
    Mutant(
        "a missing K",
        "theory/minima.py",
        "np.log(K * (N - 1))",
        "np.log(N - 1)",
        MINIMA,
        "test_each_minimum_is_the_loss_at_its_simplex",
    ),
    Mutant(
        "a missing tau",
        "theory/ceiling.py",
        "+ C / ((C - 1) * tau))\n",
        "+ C / (C - 1))\n",
        "tests/theory/test_ceiling.py",
        "test_the_relaxed_ceiling_is_the_ceiling_from_tau_a_half_on",
    ),
    Mutant(
        "a missing factor 4",
        "theory/few_shot/averages.py",
        "return 4 * V_dir / (1",
        "return V_dir / (1",
        FEW,
        "test_limits_for_many_supports",
    ),
    Mutant(
        "m for m^3",
        "theory/few_shot/pairs.py",
        "* V**2) / m**3)",
        "* V**2) / m)",
        FEW,
        "test_limits_for_many_supports",
    ),
    Mutant(
        "swapped variances",
        "theory/few_shot/pairs.py",
        "return d2 + (v_j - v_i) / m, 4",
        "return d2 + (v_i - v_j) / m, 4",
        FEW,
        "test_margin_moments_equal_an_enumeration_of_all_supports",
    ),
    # measures: what is measured
    Mutant(
        "CDNV without its half",
        "measures/class_distances.py",
        '"half": (v + v.T) / 2',
        '"half": v + v.T',
        "tests/measures/test_class_distances.py",
        "test_every_convention_is_what_loops_say",
    ),
    Mutant(
        "n for n - 1",
        "measures/class_distances.py",
        "(moments.samples - 1)",
        "moments.samples",
        "tests/measures/test_class_distances.py",
        "test_the_debiased_distance_subtracts_the_noise_of_both_means",
    ),
    Mutant(
        "the norm for its square",
        "measures/spectrum.py",
        "power = _descending(singular).square()\n    ratio",
        "power = _descending(singular)\n    ratio",
        "tests/measures/test_spectrum.py",
        "test_ranks_of_two_unequal_values_are_their_formulas",
    ),
    Mutant(
        "half the exponent",
        "measures/similarity.py",
        "(cosines - 1) * (2 * t)",
        "(cosines - 1) * t",
        "tests/measures/test_similarity.py",
        "test_uniformity_is_over_pairs_of_distinct_samples",
    ),
    Mutant(
        "-1/C for -1/(C - 1)",
        "measures/collapse.py",
        "1 / (len(moments.classes) - 1)",
        "1 / len(moments.classes)",
        "tests/measures/test_collapse.py",
        "test_the_measures_of_the_simplex_are_what_loops_say",
    ),
    # audits: a measure beside its bound
    Mutant(
        "a violation with the other sign",
        "audits/gap.py",
        "float((gap - upper).max())",
        "float((upper - gap).max())",
        "tests/audits/test_gap.py",
        "test_a_row_is_what_the_loops_give",
    ),
    Mutant(
        "the best anchor for the worst",
        "audits/gap.py",
        "float((lower - gap).max())",
        "float((lower - gap).min())",
        "tests/audits/test_gap.py",
        "test_a_row_is_what_the_loops_give",
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", type=int, help="from 1; all without one")
    parser.add_argument("--write", action="store_true", help="the name of a killer is no matter")
    given = parser.parse_args()
    bad = 0
    with copied() as copy:
        for number in given.numbers or range(1, len(MUTANTS) + 1):
            mutant = MUTANTS[number - 1]
            file = copy / "supcon_theory" / mutant.file
            text = file.read_text()
            if text.count(mutant.right) < 1:
                print(f"{number:2} {mutant.what}: there is no {mutant.right!r} in {mutant.file}")
                bad += 1
                continue
            with changed(file, text.replace(mutant.right, mutant.wrong, 1)):
                found = killer(copy, mutant.tests)
            wrong = not found or (found != mutant.killer and not given.write)
            bad += wrong
            print(f"{number:2} {mutant.what}: {found or 'SURVIVES'}{' (!)' * wrong}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
