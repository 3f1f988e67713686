"""Where models trained by others lie between counting and collapse, and what bounds say of them.

A sentence encoder trained with InfoNCE (MiniLM), static word vectors (WordLlama), an ImageNet
network (EfficientNet-Lite0) and a character recogniser, all frozen, on labels that none was trained
on: WordNet's nouns by category and by hypernym, emoji by subgroup, characters; beside raw pixels.

    python experiments/pretrained.py                    laptop: 5 draws of classes and samples
    python experiments/pretrained.py smoke              seconds, without weights or other data

Weights: pip install 'supcon_theory[pretrained]'. Data: apt-get install wordnet-base; for the emoji
three `npm pack` commands, which the error names, in the folder given as --emoji: docs/pretrained.md
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.placement import placed, sharpened
from supcon_theory.claims import Claim, placement
from supcon_theory.data.facts import facts
from supcon_theory.data.labelled import SOURCES, content
from supcon_theory.encoders.flags import LEAST_TAU
from supcon_theory.encoders.pretrained.features import place
from supcon_theory.encoders.pretrained.models import MODELS
from supcon_theory.runs.cells import Shared
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.flags import Common

AUDITS = (columns.GAP, columns.FEW_SHOT, columns.PLACEMENT)
CONTROL = "pixels"
LEVELLED = ("hypernyms", "emoji")  # data with labels on several levels


@dataclass(frozen=True)
class Config(Common):
    """Models trained by others."""

    places: ClassVar[tuple[str, ...]] = ("cifar", "wordnet", "emoji")

    models: tuple[str, ...] = tuple(MODELS)
    """minilm, wordllama, efficientnet, recogniser, pixels (a control: no model)."""
    data: tuple[str, ...] = tuple(name for name in SOURCES if name != "cifar")
    """wordnet, hypernyms, emoji, glyphs, kanji, digits; each goes with the models for its kind."""
    cifar: Path | None = None
    """A folder of pictures, test/<class>/* of which are looked at as well: CIFAR-10, say."""
    wordnet: Path = Path("/usr/share/wordnet")
    """Folder of WordNet's data.noun."""
    emoji: Path = Path(".")
    """Folder of the three archives of emoji."""
    classes: int = 24
    """Classes in a draw at most; wordnet has 12 in each, digits and cifar 8."""
    n: int = 100
    """Samples per class at most; hypernyms have 20, emoji 12, characters 40."""
    eval_tau: tuple[float, ...] = (1.0, 0.2, 0.05)
    """Temperatures to evaluate at; MiniLM was trained at .05."""
    shots: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 500)
    """Labels a class m, drawn with replacement from the samples as population."""
    certified_shots: tuple[int, ...] = (10, 100)
    """m at which the certificates given the test point are computed."""
    draws: int = 100
    """Support draws."""

    @property
    def sources(self) -> dict[str, Path]:
        """Names of the data asked for, and where their files are."""
        found = {name: self.folder(name) for name in self.data}
        return found | ({"cifar": self.cifar} if self.cifar else {})

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every model with every data set of its kind."""
        return [(m, s) for m in self.models for s in self.sources if s in MODELS[m].data]

    def folder(self, name: str) -> Path:
        """Where the files of a source are."""
        return {"emoji": self.emoji, "cifar": self.cifar}.get(name) or self.wordnet

    def identity(self) -> dict[str, object]:
        """What is asked; of a user's pictures what they are, not where."""
        own = {"cifar_content": content("cifar", self.cifar)} if self.cifar else {}
        return Common.identity(self) | own

    def check(self) -> None:
        """Refuse models, data and settings that cannot be."""
        super().check()
        self.at_least(classes=2, n=2, draws=2)
        known = {"models": MODELS, "data": [name for name in SOURCES if name != "cifar"]}
        for flag, allowed in known.items():
            given = getattr(self, flag)
            if odd := [name for name in given if name not in allowed]:
                raise ValueError(
                    f"{flag} has {odd[0]!r} but each must be one of {', '.join(allowed)}"
                    + (": give its folder with --cifar" if odd[0] == "cifar" else "")
                )
            if len(set(given)) < len(given):
                raise ValueError(f"{flag} are {' '.join(given)} but each may be there once")
        lone = [m for m in self.models if m not in {m for m, _ in self.pairs}]
        lone += [s for s in self.sources if s not in {s for _, s in self.pairs}]
        if lone or not self.pairs:
            raise ValueError(
                f"{lone[0] if lone else 'nothing'} has no partner: models {' '.join(self.models)} "
                f"and data {' '.join(self.sources)} must be of the same kinds; ask for more of both"
            )
        if not self.eval_tau or not LEAST_TAU <= min(self.eval_tau) <= max(self.eval_tau) < 1e30:
            raise ValueError(f"eval-tau is {self.eval_tau} but each must be at least 1/650")
        if min((*self.shots, *self.certified_shots), default=0) < 1:
            raise ValueError(f"shots are {self.shots} but there must be some, each at least 1")

    def look(self) -> None:
        """Refuse weights, libraries and data that are not here, before any work."""
        super().look()
        if self.cifar and (found := facts(self.cifar)) and found.fewest_test < 2:
            raise ValueError(
                f"a class of {self.cifar} has {found.fewest_test} test images: 2 needed"
            )
        for name, folder in self.sources.items():
            if why := SOURCES[name].missing(folder):
                raise ValueError(why)
        for model, source in self.pairs:
            path, _ = place(model, content(source, self.sources[source]))
            kept = (self.out / path / "manifest.json").exists()
            if not kept and (why := MODELS[model].missing()):
                raise ValueError(why)


PRESETS = {
    "smoke": Config(
        models=(CONTROL,),
        data=("glyphs", "digits"),
        classes=4,
        n=12,
        seeds=2,
        shots=(1, 20, 100),
        certified_shots=(20,),
        draws=20,
    ),
    "laptop": Config(),
    "full": Config(seeds=20, draws=400),
}


@dataclass(frozen=True)
class Frozen:
    """A model, data, a draw of classes and samples of them, and what is measured there."""

    places: ClassVar[tuple[str, ...]] = ("folder",)

    model: str
    data: str
    folder: Path
    inputs: str
    weights: str
    seed: int
    C: int
    n: int
    taus: tuple[float, ...]
    shots: tuple[int, ...]
    certified: tuple[int, ...]
    draws: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per model, data and draw; the features of a pair are shared by its draws."""
    for model, data in config.pairs:
        source, folder = SOURCES[data], config.sources[data]
        C, n = min(config.classes, source.C), min(config.n, source.n)
        if data == "cifar":
            found = facts(folder)
            C, n = min(C, len(found.classes)), min(n, found.fewest_test)
        inputs = content(data, folder)
        path, _ = place(model, inputs)
        for seed in range(config.seeds):  # the first computes the features, others find them
            seconds = 1 + source.views * MODELS[model].seconds
            shared = {} if seed else {str(path): Shared(model, seconds)}
            about = (model, data, folder, inputs, MODELS[model].content, seed, C, n)
            asked = (config.eval_tau, config.shots, config.certified_shots, config.draws)
            cost = 2e-5 * C * C * n + 2
            yield Cell(Frozen(*about, *asked), f"{model} {data} seed={seed}", cost, shared)


def measure(cell: Frozen, context: Context) -> pd.DataFrame:
    """The gap at every level of labels and under shuffled ones; few-shot errors and every bound."""
    import torch

    from supcon_theory.audits.few_shot import feature_audit
    from supcon_theory.audits.gap import gap_audit
    from supcon_theory.data.labelled import draw
    from supcon_theory.data.random import shuffled_labels
    from supcon_theory.encoders.pretrained.features import features
    from supcon_theory.inputs import unit_rows

    kept = features(cell.model, cell.data, cell.folder, context)
    context.report(0.5)
    rows, levels = draw(cell.data, cell.folder, cell.C, cell.n, cell.seed)
    z = unit_rows(torch.from_numpy(kept[rows]))
    about: dict[str, Any] = {"data": cell.data, "encoder": cell.model, "seed": cell.seed}
    about |= {"K": z.shape[1], "d": z.shape[2], "layer": "z", "split": "population"}
    about["classes"] = "unseen"
    y = levels["true"]
    found = []
    for labels, of in {**levels, "shuffled": shuffled_labels(cell.seed, y)}.items():
        C = len(set(of.tolist()))
        here = about | {"labels": labels, "C": C, "n": len(of) / C, "protocol": "exact"}
        found += [here | placed(row) for row in gap_audit(z, of, cell.taus)]
    context.report(0.6)
    here = about | {"labels": "true", "C": cell.C, "n": cell.n, "protocol": "resampled"}
    audited = feature_audit(
        z[:, 0],
        y,
        cell.shots,
        sorted({2, cell.C}),
        draws=cell.draws,
        seed=cell.seed,
        certified=cell.certified,
    )
    found += [here | {"probe": "nearest centre"} | sharpened(row) for row in audited]
    return pd.DataFrame(found)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Mean over draws: the place of the gap at each temperature; errors and the sharpest bound."""
    table = tables["table"]
    by = ["encoder", "data"]
    gaps = table[(table["protocol"] == "exact") & (table["labels"] != "shuffled")]
    shown = ["C", "gap", "bound_equal", "bound_ceiling", "bound_n_max", "r", "position", "of_span"]
    places = gaps.groupby([*by, "labels", "tau"], sort=False)[shown].mean().reset_index()
    shots = table[(table["ways"] == 2) & table["m"].isin([1, 10, 100, 500])]
    bounds = ["error", "sharpest", "bound_cantelli", "bound_theorem_4_1", "bound_neurips"]
    errors = shots.groupby([*by, "m"], sort=False)[bounds].mean().reset_index()
    return {"summary": places, "errors": errors}


def claims(config: Config) -> list[Claim]:
    """The theorems, on models that nobody trained for them; and where these lie."""
    learned = [model for model in config.models if model != CONTROL]
    levels = any(data in LEVELLED for model, data in config.pairs if model != CONTROL)
    certified = bool(set(config.certified_shots) & set(config.shots))
    return placement.claims(config.eval_tau, learned, levels, config.shots, certified)


EXPERIMENT = experiment(
    globals(), "Where do models trained by others lie, and what do the bounds say of them?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
