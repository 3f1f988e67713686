"""How far augmented views may go: our policy, its strength, and its operations one by one.

Nothing here imports torch: recipes of encoders are checked against it before any work.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True)
class Policy:
    """How far views may go. Pairs are ranges, `p_` are probabilities, jitters are x in 1 +- x.

    Saturation, hue and grayscale act on three channels, the veil on one. The veil is there because
    of the fixed backgrounds of the embedded characters (`data.nuisance`): without it the two views
    of an image share its background, a network tells images apart by that alone, and contrastive
    training makes the features of the characters worse.
    """

    area: tuple[float, float] = (0.25, 1.0)  # of the crop, as a part of the image
    aspect: tuple[float, float] = (3 / 4, 4 / 3)  # of the crop, log-uniform
    degrees: float = 10.0  # rotation within +- degrees
    shear: float = 0.1  # tangent, +-
    shift: float = 1.0  # pixels, +-
    flips: bool = False  # mirror half of the views
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    p_grayscale: float = 0.2
    veil: float = 0.3  # smooth background light from 0 up to this
    p_blur: float = 0.3
    sigma: tuple[float, float] = (0.3, 1.0)  # of the blur, pixels
    taps: int = 5
    p_erase: float = 0.25
    erased: tuple[float, float] = (0.02, 0.12)  # part of the image
    erased_aspect: tuple[float, float] = (3 / 4, 4 / 3)  # log-uniform
    padding: str = "border"


OURS = Policy()
OPERATIONS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "crop": {"area": (1.0, 1.0), "aspect": (1.0, 1.0)},
        "move": {"degrees": 0.0, "shear": 0.0, "shift": 0.0},
        "mirror": {"flips": False},
        "light": {"brightness": 0.0, "contrast": 0.0},
        "colour": {"saturation": 0.0, "hue": 0.0, "p_grayscale": 0.0},
        "veil": {"veil": 0.0},
        "blur": {"p_blur": 0.0},
        "erase": {"p_erase": 0.0},
    }
)
"""What makes a view, and the fields of a policy that leave it out."""
MIXES = ("mixup", "cutmix")
"""How augmented images are mixed in pairs (`data.mixing`)."""
STRONGEST = 2.0
"""Strength up to which probabilities and jitters of our policy stay below 1."""


def check_useful(operations: Collection[str], channels: int, flips: bool) -> None:
    """Refuse operations that do nothing to images of so many channels, mirrored or not.

    Raises:
        ValueError: in one sentence, with those that do something.

    """
    idle = {"colour" if channels == 1 else "veil", *([] if flips else ["mirror"])}
    useful = [name for name in OPERATIONS if name not in idle]
    for name in operations:
        if name in idle:
            raise ValueError(
                f"{name!r} does nothing to these images, so it cannot be left out: leave out some "
                f"of {', '.join(useful)}"
            )


def policy_of(strength: float = 1.0, without: str | None = None, *, flips: bool = False) -> Policy:
    """Our policy at another strength, or without one of its operations (ours).

    Angles, shifts, jitters, the veil's light and the probabilities of gray, blur and erasing are
    proportional to the strength, the logarithms of a crop's area and aspect too. What blur and
    erasing do to a view that they touch stays; so does mirroring, half of the views at any strength
    above 0. At 0 a view is its image, at 1 every number is that of `Policy()`.

    Args:
        strength: from 0 to `STRONGEST`.
        without: one of `OPERATIONS`, or None.
        flips: mirrored images keep their class.

    Returns:
        the policy.

    """
    proportional = (
        *("degrees", "shear", "shift", "brightness", "contrast", "saturation", "hue"),
        *("p_grayscale", "veil", "p_blur", "p_erase"),
    )
    scaled = {name: strength * getattr(OURS, name) for name in proportional}
    powers = {name: tuple(x**strength for x in getattr(OURS, name)) for name in ("area", "aspect")}
    left_out = OPERATIONS[without] if without is not None else {}
    return replace(OURS, **scaled | powers | {"flips": flips and strength > 0} | dict(left_out))
