"""Claims as data, each theorem declared once, and the verdicts that code gives on them.

PASS          every row obeys it (theorem), or the interval over seeds lies inside it (trend) and,
              against a null, that of the paired difference on one side of 0
PASS (loose)  a conjecture whose bound is more than twice what was found: hardly tested
FAIL          a row breaks it, or the interval over seeds lies wholly outside
INCONCLUSIVE  the table cannot decide: empty, NaN, too few seeds, an interval across the edge
VACUOUS       it holds but says nothing: the bound is above all that the quantity could be, or
              the trend's null (shuffled labels, say) shows the same trend
NOT ASKED     the configuration or the data leave out what it is about; not counted
"""

from supcon_theory.claims.checks import AtMost, Certified, Verdict, Within
from supcon_theory.claims.claim import Change, Claim, UndeclaredColumn
from supcon_theory.claims.document import verify
from supcon_theory.claims.evaluate import compare, evaluate, exit_code

__all__ = [
    "AtMost",
    "Certified",
    "Change",
    "Claim",
    "UndeclaredColumn",
    "Verdict",
    "Within",
    "compare",
    "evaluate",
    "exit_code",
    "verify",
]
