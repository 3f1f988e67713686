"""The claims of every experiment, and tables on which they hold, by what these are about."""

from tests.cases import NAMES, case

JUDGED = {key: of for name in NAMES for key, of in getattr(case(name), "JUDGED", {}).items()}
