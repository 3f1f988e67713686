"""What a claim says does not depend on how Python is started."""

from supcon_theory.claims.claim import declare


def test_a_statement_stays_where_python_keeps_no_docstrings():
    def build(C: int):
        """Some rows of {C} classes lie below."""
        return ()

    kept = declare("X1", "nowhere", "theorem", "a <= b")(build)(C=3)
    build.__doc__ = None  # as -OO leaves it
    assert declare("X1", "nowhere", "theorem", "a <= b")(build)(C=3).about == kept.about
    assert kept.about == "Some rows of 3 classes lie below: a <= b"
