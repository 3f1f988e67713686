"""The ruler as people use it: the printed example, every place a value can be, bad input."""

import math

import numpy as np
import pytest

import supcon_theory
from supcon_theory.app.command import run
from supcon_theory.app.loss import read_value
from supcon_theory.rulers import batches, scale


@pytest.fixture
def quick(monkeypatch):
    """Few draws, for what does not depend on them."""
    monkeypatch.setattr(scale, "ANCHORS", (4, 8))
    monkeypatch.setattr(batches, "DRAWS", 40)


SUPCON = {"objective": "supcon", "batch": 512, "tau": 0.07, "classes": 100}


def test_the_numbers_of_a_loss_of_6_92():
    found = supcon_theory.ruler(6.92, **SUPCON, rounding=0.005)
    assert found["equal"] == pytest.approx(math.log(1023), abs=1e-9)  # 6.9305
    assert found["class collapse"] == pytest.approx(2.32, abs=5e-3)
    assert found["random"] == pytest.approx(7.72, abs=1e-2)
    assert found["least"] <= found["class collapse"] and found["least"] > 2.3
    verdict = found.verdict
    assert verdict.where == "chance" and verdict.way == pytest.approx(0.00228, abs=1e-4)
    assert verdict.margin == pytest.approx(7.4e-4, abs=1e-5)
    rows, factor = verdict.notes
    assert "equal = 6.236" in rows and "above a constant embedding" in rows
    assert "tau / 0.07 (here 1;" in factor
    balanced = supcon_theory.ruler(**SUPCON | {"batch": 500}, balanced=True)
    assert balanced.lines[0].status == "exact minimum"


@pytest.mark.parametrize(
    "value, where, words",
    [
        (2.0, "below", "below what any embedding can reach"),
        (2.312, "lucky", "single batches"),
        (2.33, "least", "At the least possible, 100 % of the way"),
        (4.0, "between", "64 % of the way from chance"),
        (6.9305, "chance", "nothing learned"),
        (7.5, "worse", "above a constant embedding"),
        (50.0, "above", "Above what any embedding can reach"),
    ],
)
def test_every_place_has_its_sentence(value, where, words, quick):
    verdict = supcon_theory.ruler(value, **SUPCON).verdict
    assert verdict.where == where and words in verdict.sentence


def test_what_was_printed_with_few_digits_is_not_called_impossible(quick):
    least = supcon_theory.ruler(objective="nt_xent", batch=64, tau=0.5)["least"]
    printed = math.floor(100 * least) / 100
    where = supcon_theory.ruler(printed, "nt_xent", batch=64, tau=0.5).verdict.where
    assert where == "below"
    rounded = supcon_theory.ruler(printed, "nt_xent", batch=64, tau=0.5, rounding=0.01)
    assert rounded.verdict.where == "least"
    assert read_value("6.92") == (6.92, 0.005) and read_value("7") == (7.0, 0.5)


def test_the_margin_explains_the_value(quick):
    from supcon_theory.rulers.setting import apart

    found = supcon_theory.ruler(4.5, **SUPCON)
    assert apart(found.setting, found.verdict.margin).mean == pytest.approx(4.5, abs=1e-6)


def test_counts_are_frequencies_in_any_unit(quick):
    one = supcon_theory.ruler(objective="nscl", batch=64, tau=0.5, counts=[3, 2, 1])
    other = supcon_theory.ruler(objective="nscl", batch=64, tau=0.5, counts=[0.3, 0.2, 0.1])
    assert [line.value for line in one.lines] == pytest.approx([x.value for x in other.lines])


def test_a_factor_scales_every_line(quick):
    ours = supcon_theory.ruler(**SUPCON | {"tau": 0.14})
    theirs = supcon_theory.ruler(**SUPCON | {"tau": 0.14}, library="SupContrast")
    ratio = [a.value / b.value for a, b in zip(theirs.lines, ours.lines, strict=True)]
    assert ratio == pytest.approx([2.0] * len(ratio))


def test_nothing_changes_from_call_to_call():
    first, second = (supcon_theory.ruler(5.0, "hcl", batch=32, tau=0.5) for _ in range(2))
    assert str(first) == str(second)


def test_the_text_keeps_its_width_and_shows_the_value_in_its_place(quick):
    for width in (60, 80, 110):
        lines = supcon_theory.ruler(6.92, **SUPCON).text(width).splitlines()
        assert max(map(len, lines)) <= width
        (yours,) = (k for k, line in enumerate(lines) if "YOURS" in line)
        above, below = " ".join(lines[:yours]).split(), " ".join(lines[yours + 1 :]).split()
        assert "6.9305" in below and "0.3 closer in cosine than others" in " ".join(above)
    first = str(supcon_theory.ruler(None, "hucl", batch=8, tau=0.5, beta=0.5)).splitlines()[0]
    assert "beta=0.5" in first and "detach" not in first


BAD = {
    "nan": "the loss is nan",
    "inf": "the loss is inf",
    "six": "VALUE is 'six'",
}
COMMANDS = {
    "6 --objective supcon --batch 8 --tau .1 --classes 10": "smaller than the number of classes",
    "6 --objective nope --batch 8 --tau .1": "objective is 'nope'; it must be one of dcl",
    "6 --objective nscl --batch 8 --tau .1": "nscl asks the labels",
    "6 --objective nt_xent --batch 8 --tau 0": "a temperature must be positive",
    "6 --objective nt_xent --batch 8 --tau nan": "a temperature must be positive",
    "6 --objective nt_xent --batch 8": "tau is None",
    "6 --objective nt_xent --batch 8 --tau .1 --scale 10": "not allowed with argument",
    "6 --objective nt_xent --batch 8 --scale -1": "scale is -1",
    "6 --objective nt_xent --batch 8 --tau .1 --views 1": "use K >= 2 views",
    "6 --objective nt_xent --batch 1 --tau .1": "batch = 1",
    "6 --objective nt_xent --batch 8 --tau .1 --dim 0": "dim = 0",
    "6 --objective nt_xent --batch 8 --tau .1 --balanced": "balanced batches need classes",
    "6 --objective nscl --batch 8 --tau .1 --classes 3 --balanced": "equally often",
    "6 --objective nscl --batch 8 --tau .1 --classes 1": "classes = 1",
    "6 --objective dcl --batch 8 --library pml": "of pml the ruler knows nt_xent",
    "6 --batch 8 --library lightly": "no objective is given",
    "6 --batch 8 --library torch": "library is 'torch'",
    "6 --batch 8 --library lightly --objective dcl --views 3": "takes 2",
    "6 --objective hucl --batch 8 --tau .1 --option gamma=1": "no option 'gamma'",
    "6 --objective hucl --batch 8 --tau .1 --option beta": "write NAME=X",
    "6 --objective hucl --batch 8 --tau .1 --option beta=-1": "pass a number in [0, inf)",
    "6 --objective hucl --batch 8 --tau .1 --option beta=much": "pass a number",
    "6 --objective hcl --batch 8 --tau .1 --option tau_plus=1": "pass a number in [0, 1)",
    "6 --objective hcl --batch 8 --tau .1 --option clamp=False": "clamp is False",
    "6 --objective dcl --batch 8 --tau .1 --option pairs=some": "pairs is 'some'",
    "6 --objective nscl --batch 8 --tau .1 --counts nowhere.csv": "cannot be read",
    "6 --objective nscl --batch 8 --tau .1 --counts /dev/zero": "is no regular file",
    "6 --objective nscl --batch 8 --tau .1 --classes 1000000000": "1000000000: pass at most",
    "6 --objective dcl --batch 1000000000000 --tau .1": "pass a batch of at most 10,000,000 views",
    "6 --objective dcl --batch 8 --views 1000000000 --tau .1": "at most 10,000,000 views",
    "6 --objective nscl --batch x": "invalid int value",
}


@pytest.mark.parametrize(("argv", "said"), COMMANDS.items())
def test_bad_usage_is_one_sentence(argv, said, capsys):
    assert run(["loss", *argv.split()]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out
    assert len(captured.err.splitlines()) == 1 and "Traceback" not in captured.err


@pytest.mark.parametrize(("value", "said"), BAD.items())
def test_a_value_that_is_no_number_is_one_sentence(value, said, capsys):
    assert run(["loss", value, "--objective", "nt_xent", "--batch", "8", "--tau", "1"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "data, said",
    [
        (b"1\n2\nmany\n", "ends line 3 in 'many'"),
        (b"1\n", "counts hold 1 classes"),
        (b"", "counts hold 0 classes"),
        (b"1\n-2\n", "frequencies must be positive"),
        (b"1\nnan\n", "frequencies must be positive"),
        (b"\xff\xfe\x00\x01", "it is not text"),
        (b"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "smaller than the number of classes"),
    ],
)
def test_foreign_counts_are_one_sentence(data, said, tmp_path, capsys):
    (tmp_path / "counts.csv").write_bytes(data)
    argv = ["6", "--objective", "nscl", "--batch", "8", "--tau", ".1"]
    assert run(["loss", *argv, "--counts", str(tmp_path / "counts.csv")]) == 2
    captured = capsys.readouterr().err
    assert said in captured and len(captured.splitlines()) == 1


def test_counts_are_the_last_column_with_or_without_a_heading(tmp_path, capsys, quick):
    argv = ["2", "--objective", "nscl", "--batch", "64", "--tau", ".5", "--counts"]
    printed = []
    for data in ("class,count\ncat,30\ndog,20\n\n", "30\n20\n"):
        (tmp_path / "counts.csv").write_text(data)
        assert run(["loss", *argv, str(tmp_path / "counts.csv")]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and "2 classes drawn at random" in printed[0]


def test_negative_values_are_values(capsys, quick):
    assert run(["loss", "-7", "--objective", "dcl", "--batch", "512", "--tau", ".07"]) == 0
    assert "YOURS" in capsys.readouterr().out


def test_large_batches_are_quick_and_finite(quick):
    found = supcon_theory.ruler(8.0, "nt_xent", batch=32768, tau=0.005, views=2)
    assert all(np.isfinite(line.value) for line in found.lines)
