"""The lowest versions that pyproject.toml allows, or the newest: do the tests pass with them?

python tests/versions.py lowest                        direct dependencies at their lower bounds
python tests/versions.py newest --python python3.14    all at their newest, on another Python
python tests/versions.py lowest --resolve              only say which versions these are

Makes an environment in a temporary folder (a few GB, minutes to load) with uv, installs the package
and the extra `test` there, and runs pytest. Whatever follows `--` goes to pytest.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESOLUTION = {"lowest": "lowest-direct", "newest": "highest"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("which", choices=RESOLUTION)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to use")
    parser.add_argument("--resolve", action="store_true", help="install nothing")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest")
    given = parser.parse_args()
    how = ["--resolution", RESOLUTION[given.which]]
    with tempfile.TemporaryDirectory(prefix="supcon_theory-versions-") as folder:
        tool = Path(folder) / "tool"
        venv.create(tool, with_pip=True)
        subprocess.run([tool / "bin" / "pip", "install", "-q", "uv"], check=True)
        uv = tool / "bin" / "uv"
        if given.resolve:
            words = ["pip", "compile", "--extra", "test", "--no-annotate", "--no-header"]
            return subprocess.run(
                [uv, *words, "--python", given.python, *how, ROOT / "pyproject.toml"]
            ).returncode
        python = Path(folder) / "tried" / "bin" / "python"
        subprocess.run([uv, "venv", "-q", "--python", given.python, python.parents[1]], check=True)
        install = [uv, "pip", "install", "-q", "--python", python, *how, "-e", f"{ROOT}[test]"]
        subprocess.run(install, check=True)
        subprocess.run([uv, "pip", "freeze", "--python", python], check=True)
        return subprocess.run([python, "-m", "pytest", *given.pytest], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
