"""`supcon-theory run NAME [preset] [--flags]`: answer a question."""

from argparse import REMAINDER, ArgumentParser, Namespace

from supcon_theory.app.experiments import experiment


def arguments(parser: ArgumentParser) -> None:
    """The experiment, then what is its own to parse."""
    parser.add_argument("name", help="an experiment")
    parser.add_argument("rest", nargs=REMAINDER, help="[smoke|laptop|full|paper] [--flags]")


def main(given: Namespace) -> int:
    """Run the experiment as its own flags ask."""
    return experiment(given.name).run(given.rest)
