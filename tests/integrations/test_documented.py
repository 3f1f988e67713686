"""The programs of docs/integrations.md, as they stand there, with a small model and small data."""

import csv
import math
import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import supcon_theory

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text()
PROGRAMS = dict(re.findall(r"^## (.+?)\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
N, CLASSES, EPOCHS = 24, 3, 2


def played(name: str, **names: object) -> dict[str, object]:
    """The names that the program of this section leaves behind, given those that it leaves open."""
    exec(compile(PROGRAMS[name], f"docs/integrations.md, {name}", "exec"), names)
    return names


def images(*shape: int) -> TensorDataset:
    torch.manual_seed(0)
    y = torch.arange(N) % CLASSES
    return TensorDataset(torch.randn(N, *shape) + y.reshape(-1, *(1 for _ in shape)), y)


def is_the_log_of(found: dict, z, y, tau: float) -> None:
    """The scalars of these embeddings, under their names."""
    expected = supcon_theory.scalars(z, y, tau=tau)
    assert {"gap", "r", "cdnv"} <= set(expected)
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-4, nan_ok=True), name


def test_every_program_of_the_page_is_run_here():
    tests = [name for name in globals() if name.startswith("test_") and name[5:] in PLAYED]
    assert len(PROGRAMS) == len(tests) == 4 and set(PLAYED.values()) == set(PROGRAMS)


PLAYED = {
    "pytorch": "PyTorch",
    "lightning": "Lightning",
    "sentence_transformers": "sentence-transformers",
    "timm": "timm",
}


def test_pytorch():
    model, data, logged = nn.Linear(5, 4), images(5), {}

    def train(model):
        with torch.no_grad():
            model.weight += 0.1

    played(
        PLAYED["pytorch"],
        epochs=EPOCHS,
        model=model,
        train=train,
        validation=DataLoader(data, batch_size=7),
        log=logged.__setitem__,
    )
    assert list(logged) == [0, 1] and logged[0] != logged[1]
    is_the_log_of(logged[1], model(data.tensors[0]), data.tensors[1], 0.1)


def test_lightning(tmp_path):
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(5, 4)

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, index):
            x, _ = batch
            z = nn.functional.normalize(torch.stack([self(x), self(x + 0.1)], 1), dim=-1)
            return supcon_theory.OBJECTIVES["nt_xent"](z, tau=0.1)

        def validation_step(self, batch, index):
            pass

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    module, data = Module(), images(5)
    loader = DataLoader(data, batch_size=7)
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False)
    options = quiet | {
        "enable_model_summary": False,
        "max_epochs": EPOCHS,
        "accelerator": "cpu",
        "default_root_dir": tmp_path,
    }
    played(PLAYED["lightning"], module=module, training=loader, validation=loader, options=options)
    is_the_log_of(module.trainer.callback_metrics, module(data.tensors[0]), data.tensors[1], 0.1)


def test_sentence_transformers(tmp_path):
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = ["[UNK]", *"ant bee cat dog elm fir gum hop ivy".split()]
    tokenizer = Tokenizer(WordLevel({word: k for k, word in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    torch.manual_seed(0)
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=6)], device="cpu")
    sentences = [f"{a} {b}" for a in words[1:] for b in words[1:4]]
    labels = [words[1:].index(sentence.split()[0]) // 3 for sentence in sentences]
    args = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path),
        num_train_epochs=1,
        per_device_train_batch_size=9,
        learning_rate=0.1,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    pairs = Dataset.from_dict({"anchor": sentences, "positive": sentences[1:] + sentences[:1]})
    before = supcon_theory.scalars(model.encode(sentences), labels, tau=0.05)
    trainer = played(
        PLAYED["sentence_transformers"],
        model=model,
        args=args,
        pairs=pairs,
        sentences=sentences,
        labels=labels,
    )["trainer"]
    (logged,) = [entry for entry in trainer.state.log_history if "eval_gap" in entry]
    found = {name.removeprefix("eval_"): value for name, value in logged.items()}
    is_the_log_of(found, model.encode(sentences), labels, 0.05)
    assert math.isfinite(before["gap"]) and before["gap"] != found["gap"]


def test_timm(tmp_path):
    import timm
    from timm.optim import create_optimizer_v2

    torch.manual_seed(0)
    model = timm.create_model("test_resnet", pretrained=False, num_classes=CLASSES, in_chans=1)
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.1)
    data = images(1, 32, 32)
    loader = DataLoader(data, batch_size=8)

    def train_one_epoch(epoch, model, loader):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        return {"loss": loss.item()}

    def validate(model, loader):
        model.eval()
        with torch.no_grad():
            right = torch.cat([model(x).argmax(1) == y for x, y in loader])
        return {"top1": 100 * right.float().mean().item()}

    summary = tmp_path / "summary.csv"
    played(
        PLAYED["timm"],
        epochs=EPOCHS,
        model=model,
        loader_train=loader,
        loader_eval=loader,
        train_one_epoch=train_one_epoch,
        validate=validate,
        summary=summary,
    )
    rows = list(csv.DictReader(summary.open()))
    assert len(rows) == EPOCHS and float(rows[1]["eval_top1"]) >= 0
    found = {name.removeprefix("eval_"): value for name, value in rows[1].items()}
    x, y = data.tensors
    with torch.no_grad():
        z = model.forward_head(model.forward_features(x), pre_logits=True)
    is_the_log_of(found, z, y, 0.1)
