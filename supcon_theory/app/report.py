"""`supcon-theory report`: all results on one page."""

from argparse import ArgumentParser, Namespace


def arguments(parser: ArgumentParser) -> None:
    """None yet."""
    parser.add_argument("folder")
    parser.add_argument("--out")


def main(given: Namespace) -> int:
    """Nothing yet."""
    return 0
