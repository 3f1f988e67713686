"""Faults injected into runs, readers and the command line; what must hold is docs/promises.md.

python tests/faults.py            the short version, as CI runs it
python tests/faults.py --deep     the long one, hours of one core: its counts stand in that page
python tests/faults.py --deep kill damage          some of its files
"""

import argparse
import os
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_suffix("")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="of tests/faults/test_NAME.py; all without one")
    parser.add_argument("--deep", action="store_true", help="the long version")
    parser.add_argument("-n", default="0", metavar="J", help="processes at the same time")
    given = parser.parse_args()
    os.environ["SUPCON_THEORY_FAULTS"] = "deep" if given.deep else "short"
    files = [str(FOLDER / f"test_{name}.py") for name in given.names] or [str(FOLDER)]
    os.chdir(FOLDER.parents[1])
    return pytest.main(["-n", given.n, "--durations=10", *files])


if __name__ == "__main__":
    sys.exit(main())
