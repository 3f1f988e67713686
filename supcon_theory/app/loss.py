"""`supcon-theory loss VALUE`: where a loss value lies between the least possible and chance."""

import ast
import shutil
from argparse import ArgumentParser, Namespace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from supcon_theory.objectives.ids import IDS
from supcon_theory.runs import store
from supcon_theory.runs.exits import Refused

WIDTHS = (60, 110)  # characters that the text is fitted to, from the terminal


def arguments(parser: ArgumentParser) -> None:
    """The value, its loss, and the batch on which it was computed."""
    add = parser.add_argument
    add("value", nargs="?", metavar="VALUE", help="the loss, from a log; none: the scale alone")
    add("--objective", metavar="ID", help=f"one of {', '.join(IDS)}")
    add("--batch", type=int, required=True, metavar="B", help="samples in a batch, of all devices")
    temperature = parser.add_mutually_exclusive_group()
    temperature.add_argument("--tau", type=float, metavar="T", help="temperature")
    temperature.add_argument("--scale", type=float, metavar="S", help="1 / temperature instead")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument("--classes", type=int, metavar="C", help="classes, all equally likely")
    labels.add_argument(
        "--counts", type=Path, metavar="FILE", help="their frequencies: a number a line, last of it"
    )
    add("--balanced", action="store_true", help="each batch holds every class equally often")
    add("--views", type=int, default=2, metavar="K", help="views of each sample (default 2)")
    add("--dim", type=int, metavar="d", help="dimensions of the embeddings (default: many)")
    add(
        "--library",
        metavar="NAME",
        help="what pml, lightly, solo-learn, SupContrast, "
        "sentence-transformers or simclr computes instead; its default temperature without --tau",
    )
    add(
        "--option",
        action="append",
        default=[],
        metavar="NAME=X",
        help="of the objective, such as beta=0.5 or pairs=distinct; may be repeated",
    )


def main(given: Namespace) -> int:
    """Print the ruler.

    Args:
        given: the arguments.

    Returns:
        0.

    Raises:
        Refused: what was given makes no sense, in one sentence.

    """
    from supcon_theory.rulers.ruler import ruler

    value, rounding = read_value(given.value)
    if given.scale is not None and not given.scale > 0:
        raise Refused(f"scale is {given.scale:g}; it is 1 / temperature: pass a number above 0.")
    counts = None if given.counts is None else read_counts(given.counts)
    try:
        found = ruler(
            value,
            given.objective,
            batch=given.batch,
            tau=given.tau if given.scale is None else 1 / given.scale,
            classes=given.classes,
            counts=counts,
            views=given.views,
            dim=given.dim,
            library=given.library,
            balanced=given.balanced,
            rounding=rounding,
            **dict(map(read_option, given.option)),
        )
    except (ValueError, TypeError) as error:
        raise Refused(str(error)) from None
    low, high = WIDTHS
    print(found.text(min(max(shutil.get_terminal_size((high, 24)).columns, low), high)))
    return 0


def read_value(text: str | None) -> tuple[float | None, float]:
    """A loss as it was printed, and half a unit of its last digit.

    Args:
        text: such as 6.92; None for no value.

    Returns:
        The number and how far the true one may be from it.

    Raises:
        Refused: it is no number.

    """
    if text is None:
        return None, 0.0
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Refused(f"VALUE is {text!r}; pass the loss as a number, such as 6.92.") from None
    exponent = value.as_tuple().exponent
    return float(value), 0.5 * 10.0**exponent if isinstance(exponent, int) else 0.0


def read_option(text: str) -> tuple[str, object]:
    """NAME=X as a name and a number, truth value or word.

    Args:
        text: such as beta=0.5.

    Returns:
        The name and the value.

    Raises:
        Refused: there is no = in it.

    """
    name, sign, word = text.partition("=")
    if not sign:
        raise Refused(f"option is {text!r}; write NAME=X, such as beta=0.5.")
    try:
        return name, ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return name, word


def read_counts(path: Path) -> list[float]:
    """The frequencies of the classes: the last column of a CSV, with or without a heading.

    Args:
        path: of the file.

    Returns:
        The numbers.

    Raises:
        Refused: it cannot be read, or a line does not end in a number.

    """
    try:
        lines = store.contents(path).decode().splitlines()
    except store.Damaged as error:
        raise Refused(f"counts: {error}; pass a file with a number a line.") from None
    except UnicodeDecodeError:
        raise Refused(
            f"counts: {path} cannot be read (it is not text); pass a number a line."
        ) from None
    found: list[float] = []
    for number, line in enumerate(lines, 1):
        last = line.rsplit(",", 1)[-1].strip().strip('"')
        if not last:
            continue
        try:
            found.append(float(last))
        except ValueError:
            if found or number > 1:  # the first line may be a heading
                raise Refused(
                    f"{path} ends line {number} in {last!r}: pass the frequency of a class there."
                ) from None
    return found
