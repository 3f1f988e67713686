"""`supcon-theory export results/encoders/KEY`: trained weights as a file of safetensors."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from supcon_theory.runs.exits import Broken, Refused


def arguments(parser: ArgumentParser) -> None:
    """The encoder, the step, the file."""
    parser.add_argument("encoder", type=Path, help="folder of a trained encoder")
    parser.add_argument("--step", type=int, help="a checkpoint; the last unless given")
    parser.add_argument("--out", type=Path, help="the file; ENCODER-STEP.safetensors unless given")
    parser.add_argument(
        "--backbone",
        action="store_true",
        help="only what gives the features h, named as in torchvision",
    )


def main(given: Namespace) -> int:
    """Write the file, and read it again.

    Args:
        given: what `arguments` parsed.

    Returns:
        0.

    Raises:
        Refused: there is something else in its place.
        Broken: what was written does not read as it was.

    """
    if given.out and given.out.exists() and not given.out.is_file():
        raise Refused(f"out is {str(given.out)!r}, which is no file: name one to write.")
    from supcon_theory.encoders import exported

    recipe, entry = exported.stored(given.encoder)
    step = recipe.steps if given.step is None else given.step
    path = given.out or Path(f"{given.encoder.resolve().name}-{step}.safetensors")
    weights = exported.write(recipe, entry, step, path, given.backbone)
    if not given.backbone:
        network, _, _ = exported.read(path)
        there = network.state_dict()
        if any(not there[name].equal(value) for name, value in weights.items()):
            raise Broken(f"{path} does not read as it was written")
    count = sum(value.numel() for value in weights.values())
    print(
        f"{path}: {count / 1e6:.2f} million numbers of {recipe.encoder}, {recipe.objective} on "
        f"{recipe.data}, after {step} steps; the recipe is in its header"
    )
    return 0
