"""What a run would take, said before anything is there."""

import pytest
from supcon_theory.experiments import collapse, gap_vs_classes, minimisers, supcon_settings

from supcon_theory.encoders import flags
from supcon_theory.encoders.recipe import SECONDS
from supcon_theory.runs.progress import duration


def said(capsys, experiment, tmp_path, *flags: str) -> str:
    assert experiment.EXPERIMENT.run([*flags, "--dry-run", "--out", str(tmp_path / "new")]) == 0
    assert not list(tmp_path.iterdir())
    return capsys.readouterr().out


def test_the_published_setting_needs_neither_gpu_nor_data_to_say_what_it_takes(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    text = said(capsys, gap_vs_classes, tmp_path, "paper")
    assert "35 cells, 70 encoders (resnet50), 0 of them trained already" in text
    # 70 x 14,400 steps x 8 parts of 128 images at .0475 s, over 8 GPUs at best
    assert (
        "; 4 days of one GPU, no less than 13 h 18 min on 8 (steps measured on one NVIDIA" in text
    )
    assert "50 GiB for a batch of 1024 in 2 views" in text
    # checkpoints at 0 and five log-spaced steps, 28 million numbers of four bytes
    assert "disk: 43.8 GiB of checkpoints" in text
    assert "it cannot start here yet: " in text and "CIFAR-100 is not here" in text


def test_what_the_data_have_too_little_of_is_said_after_what_it_takes(capsys, tmp_path):
    few = said(capsys, gap_vs_classes, tmp_path, "--data", "kanji")
    assert few.endswith("a class of kanji has only 44 training images: use --n 44 or less\n")
    enough = said(capsys, gap_vs_classes, tmp_path, "--data", "kanji", "--n", "44")
    assert "cannot start" not in enough


def test_a_dry_run_brings_no_data(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(flags, "download", lambda *given: pytest.fail("it was downloaded"))
    about = ["smoke", "--data", "svhn", "--data-root", str(tmp_path), "--download"]
    assert "cannot start" not in said(capsys, gap_vs_classes, tmp_path, *about)
    assert "train an encoder" not in said(capsys, gap_vs_classes, tmp_path, *about)
    kept = said(capsys, gap_vs_classes, tmp_path, *about[:-1])
    assert "cannot start here yet: SVHN is not here" in kept and "are asked for" not in kept


def test_what_is_trained_already_is_not_counted(capsys, tmp_path):
    text = said(capsys, collapse, tmp_path, "smoke")
    assert "2 cells, 8 encoders (plain), 0 of them trained already" in text
    assert "MiB of checkpoints" in text and "memory" not in text  # nobody measured it
    config = collapse.PRESETS["smoke"]
    for cell in collapse.cells(config):
        for entry in cell.shared:
            (tmp_path / "new" / entry).mkdir(parents=True)
            (tmp_path / "new" / entry / "manifest.json").write_text("{}")
    assert collapse.EXPERIMENT.run(["smoke", "--dry-run", "--out", str(tmp_path / "new")]) == 0
    text = capsys.readouterr().out
    assert "8 of them trained already" in text and "training: nothing" in text


def test_encoders_of_other_kinds_count_as_what_they_are(capsys, tmp_path):
    """2 x 2 of each kind, 1,600 steps of 24 images: each kind at what it takes of 128."""
    of = ["smoke", "--encoders", "residual", "vit", "--wrong", "--images", "--batches"]
    of += ["--hidden-layers", "--margins", "--surfaces", "--rivals", "--steps", "1600"]
    text = said(capsys, supcon_settings, tmp_path, *of)
    assert "12 encoders (plain, residual, vit), 0 of them" in text
    seconds = 4 * 1600 * 24 / 128 * sum(SECONDS[kind] for kind in ("plain", "residual", "vit"))
    assert f"training: about {duration(seconds)} of one core\n" in text  # no GPU measured all
    alone = said(capsys, supcon_settings, tmp_path, *of[:1], *of[4:])
    megabytes = [float(t.split("disk: ")[1].split(" MiB")[0]) for t in (alone, text)]
    assert megabytes[1] > 3 * megabytes[0]  # the two others are larger


def test_what_trains_nothing_says_how_long_it_takes(capsys, tmp_path):
    text = said(capsys, minimisers, tmp_path, "smoke")
    assert "of one core" in text and "encoders" not in text


@pytest.mark.parametrize("wrong", [["--seeds", "0"], ["--classes", "1"]])
def test_what_is_refused_is_refused_dry_too(wrong, capsys, tmp_path):
    about = ["smoke", "--dry-run", *wrong, "--out", str(tmp_path)]
    assert gap_vs_classes.EXPERIMENT.run(about) == 2
