"""What tests are told of every experiment, a module each.

    drawn(rng)   ordinary tables, as a run writes them: two seeds, two numbers of classes
    JUDGED       its claims, and a table on which they hold
    REFUSED      flags, and words of the sentence that refuses them
    FEWER        flags that ask for less and leave its theorems decided
    OWN          further flags for images in classes of unequal size

Only `drawn` must be there.
"""

import importlib
import pkgutil
from types import ModuleType

NAMES = sorted({found.name for found in pkgutil.iter_modules(__path__)} - {"rows"})


def case(name: str) -> ModuleType:
    """What tests are told of an experiment."""
    return importlib.import_module(f"tests.cases.{name}")
