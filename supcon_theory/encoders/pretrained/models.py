"""What each pretrained model is and needs; nothing here imports torch."""

from importlib.util import find_spec
from typing import NamedTuple

from supcon_theory.data import pins

EXTRA = "pip install 'supcon_theory[pretrained]'"


class Model(NamedTuple):
    """The data it is used on, its files, the libraries that read them, and its cost.

    Attributes:
        data: Names of the sources (`data.labelled`).
        seconds: Of one core, for a view.
        version: Of its preprocessing: raise it when it starts to give other numbers.
    """

    data: tuple[str, ...]
    seconds: float
    pins: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    version: int = 1

    def missing(self) -> str:
        """Why it cannot be loaded, in a sentence; empty if it can."""
        for library in self.libraries:
            if find_spec(library) is None:
                return f"{library} is not installed: run `{EXTRA}`"
        try:
            for name in self.pins:
                pins.read(name)
        except ValueError as error:
            return str(error)
        return ""

    @property
    def content(self) -> str:
        """What its features depend on, for keys."""
        digests = (pins.pins()[name].sha256[:16] for name in self.pins)
        return " ".join([str(self.version), *digests])


TEXT, CHARACTERS, PICTURES = ("wordnet", "hypernyms"), ("glyphs", "kanji"), ("emoji", "cifar")
MODELS = {  # the name of each is that of its module
    "minilm": Model(TEXT, 0.004, ("minilm",), ("transformers", "tokenizers", "safetensors")),
    "wordllama": Model(
        TEXT, 0.0002, ("wordllama", "wordllama_tokenizer"), ("tokenizers", "safetensors")
    ),
    "efficientnet": Model(PICTURES, 0.03, ("efficientnet",), ("efficientnet_lite_pytorch",)),
    "recogniser": Model(CHARACTERS, 0.008, ("recogniser",), ("onnx", "onnxruntime")),
    "pixels": Model((*PICTURES, *CHARACTERS, "digits"), 0.00005),
}
