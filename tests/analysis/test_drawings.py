"""Laws that every drawing obeys, whatever the tables are."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import supcon_theory.analysis
from matplotlib.text import Text
from supcon_theory.analysis import style

from supcon_theory.audits import columns

pytestmark = pytest.mark.usefixtures("coarse_pictures")
FOLDER = Path(supcon_theory.analysis.__file__).parent
NAMES = sorted(
    path.stem
    for path in FOLDER.glob("[a-z]*.py")
    if "\n@style.drawing(" in path.read_text(encoding="utf-8")
)
FIGURES = {
    "collapse": ("", "_geometry"),
    "few_shot": ("", "_bounds", "_terms"),
    "pretrained": ("", "_shots"),
    "minimisers": ("", "_descent", "_gram", "_curvature", "_ceiling"),
}


def module(name: str):
    return importlib.import_module(f"supcon_theory.analysis.{name}")


def rows(table: tuple[columns.Table, ...], rng: np.random.Generator, **choices) -> pd.DataFrame:
    """All combinations of the choices, a positive number in every other declared column."""
    grid = pd.MultiIndex.from_product(choices.values(), names=choices.keys()).to_frame(index=False)
    names = [name for of in (columns.IDENTITY, *table) for name in of.names if name not in grid]
    words = {c.name for of in (columns.IDENTITY, *table) for c in of.columns if not c.unit}
    values = {n: "x" if n in words else rng.uniform(0.1, 0.9, len(grid)) for n in names}
    return grid.assign(**values)


def ordinary(name: str) -> dict[str, pd.DataFrame]:
    """Tables as a run writes them: two seeds, two numbers of classes."""
    rng = np.random.default_rng(0)
    two = dict(C=[4, 10], seed=[0, 1])
    trained = dict(objective=["dcl", "nscl"], step=[0, 5, 50], data=["glyphs"], layer=["z"])
    both = dict(split=["train", "test"], labels=["true", "shuffled"])
    c = columns
    if name == "gap_vs_classes":
        table = rows(
            (c.GAP,),
            rng,
            **two,
            **trained,
            tau=[1.0, 0.5],
            labels=both["labels"],
            imbalance=[1.0, 4.0],
        )
        return {"table": table.assign(tau_train=0.5, trained_imbalance=1.0)}
    if name == "gap_controls":
        factors = dict(factor=["base", "images", "subset", "views", "steps"], tau=[1.0])
        steps = dict(step=[100, 200], objective=["dcl", "nscl", "nt_xent"])
        return {"table": rows((c.GAP,), rng, **two, **both, **factors, **steps)}
    if name == "loss_tracking":
        many = rows(
            (c.TRAINING, c.BATCH_MEANS, c.EARLIER_BOUNDS),
            rng,
            **two,
            **both,
            objective=["dcl", "nscl", "walk"],
            step=[0, 5, 50],
            tau=[1.0],
            protocol=["exact", "control", "batch", "surrogate"],
            batch=[32, 64],
            negatives=[1, 16],
        )
        return {"table": many.assign(tau_train=0.5)}
    if name == "anatomy":
        parts = dict(protocol=["sweep", "followed", "simplex"], tau=[1.0, 0.5])
        table = rows((c.ANATOMY, c.COUPLED_ANATOMY), rng, **two, **trained, **parts)
        return {"table": table.assign(n=8)}
    if name == "collapse":
        table = rows((c.COLLAPSE,), rng, **two, **trained, **both, tau=[np.nan, 1.0])
        matrix = rows(
            (c.GRAM,),
            rng,
            C=[4],
            seed=[0, 1],
            objective=["dcl", "hcl"],
            i=range(4),
            j=range(4),
            layer=["z"],
            split=["test"],
        )
        spectrum = rows(
            (c.SPECTRUM,),
            rng,
            **two,
            objective=["dcl", "hcl"],
            rank=[1, 2, 3],
            layer=["z"],
            split=["test"],
        )
        return {
            "table": table.assign(epoch=table["step"] / 4),
            "gram": matrix,
            "spectrum": spectrum,
        }
    if name == "audit":
        at = dict(C=[4], tau=[1.0, 0.1])
        return {
            "per_class": rows((c.PER_CLASS,), rng, **at, **{"class": ["a", "b", "c", "d"]}),
            "pairs": rows((c.PAIRS,), rng, class_i=["a", "b"], class_j=["c", "d"]),
            "spectrum": rows((c.SPECTRUM,), rng, rank=[1, 2, 3, 4]),
            "held_out": rows(
                (c.HELD_OUT,), rng, probe=["nearest centre", "linear"], ways=[2, 4], m=[1, 2, 5]
            ),
        }
    if name == "embeddings_map":
        at = dict(C=[4], seed=[0, 1], objective=["dcl", "nscl"], step=[0, 5])
        table = rows((c.MAPS,), rng, **at, labels=both["labels"], method=["tsne"])
        return {
            "table": table,
            "points": rows((c.POINTS,), rng, **at, row=[3, 5], **{"class": [0, 1, 12]}),
        }
    if name == "few_shot":
        table = rows(
            (c.FEW_SHOT,),
            rng,
            **two,
            objective=["init", "dcl", "nscl", "cross_entropy"],
            classes=["seen", "unseen", "two classes", "five classes"],
            probe=["nearest centre", "linear"],
            protocol=["labelled", "resampled"],
            split=both["split"],
            m=[1.0, 5.0, np.inf],
            ways=[2, 4, 5, 10],
        )
        return {"table": table}
    if name == "few_shot_counterexample":
        return {"table": rows((c.COUNTEREXAMPLE,), rng, seed=[0, 1], scale=[1.0, 2.0], m=[10, 1e4])}
    if name == "class_collapse":
        at = dict(C=[3], n=[3], tau=[0.5, 1.0], seed=[0, 1])
        parts = dict(part=["mixture", "others", "features"], alpha=[0.1, 0.9])
        methods = dict(method=["supervised", "joint"], objective=["ssem"])
        return {"table": rows((c.CLASS_COLLAPSE,), rng, **at, **parts, **methods)}
    if name in ("subclass_probes", "simplicity_bias"):
        features = dict(feature=["class", "subclass", "character", "stripes"], layer=["h", "z"])
        at = dict(seed=[0, 1], step=[0, 5, 50], d=[4, 64], contrast=[0.0, 0.5])
        objectives = dict(objective=["dcl", "nscl", "supcon", "ssem"])
        return {"table": rows((c.KEPT,), rng, **features, **at, **objectives)}
    if name == "dimensional_collapse":
        at = dict(C=[4], seed=[0, 1], tilt=[0.0, 5.0, 30.0], objective=["scl_ball", "ucl_ball"])
        of = dict(surface=["ball", "none"], weights=["held constant", "differentiated"])
        table = rows((c.DIMENSIONAL_COLLAPSE,), rng, **at, **of, step=[0, 5, 50])
        spectrum = rows((c.DIMENSIONAL_COLLAPSE,), rng, **at, **of, rank=[1, 2, 3])
        return {"table": table, "spectrum": spectrum}
    if name == "orthogonal_frames":
        at = dict(C=[4], seed=[0, 1], pull=[0.0, 1.0], lr=[0.002, 0.03], batch=[32, 128])
        of = dict(study=["rate", "batch", "labels", "rectified"], named=[0.0, 0.1, 1.0])
        more = dict(surface=["sphere", "positive"], trained_imbalance=[1.0, 10.0])
        return {"table": rows((c.ORTHOGONAL_FRAMES,), rng, **at, **of, **more)}
    if name == "imbalance":
        at = dict(C=[4, 10], imbalance=[1.0, 100.0], tau=[0.5], group=["large", "small"])
        parts = dict(part=["programme", "free", "threshold", "encoders", "gaps"], layer=["z"])
        more = dict(objective=["nscl", "supcon"], negatives=[1, 100], seed=[0, 1], split=["test"])
        return {"table": rows((c.IMBALANCE,), rng, **at, **parts, **more)}
    if name == "loss_families":
        at = dict(n=[5, 8], seed=[0, 1], objective=["kcl", "nt_xent"], tau=[0.3])
        parts = dict(part=["batches", "sigmoid", "fixed batches", "prototypes", "encoders"])
        more = dict(batch=[16, 128], bias_option=[-2.0, 1.0], penalty=[0.0, 1.0])
        designs = dict(design=["halves", "apart", "bound"], rows=["not negative"])
        return {"table": rows((c.LOSS_FAMILIES,), rng, **at, **parts, **more, **designs)}
    if name == "hard_negatives":
        at = dict(C=[4, 10], seed=[0, 1], objective=["nt_xent", "hscl"], step=[0, 10])
        parts = dict(part=["order", "crossing", "encoders", "classes"], beta=[0.0, 1.0])
        return {"table": rows((c.HARD_NEGATIVES,), rng, **at, **parts, hardening=["exponential"])}
    if name == "hard_geometry":
        at = dict(C=[3, 5], tau=[1.0], seed=[0, 1], tilt=[0.5, 2.0, 4.0], d=[4, 5])
        parts = dict(part=["order", "threshold", "held"], objective=["ucl_ball", "hscl"])
        ends = dict(weights=["differentiated", "held constant"])
        table = rows((c.HARD_GEOMETRY,), rng, **at, **parts, **ends)
        table = table.assign(violation_etf=-table["loss"], critical_tilt=1.0, iteration=100)
        spectrum = rows((c.HARD_GEOMETRY,), rng, **at, **ends, rank=[1, 2])
        return {"table": table, "spectrum": spectrum}
    if name == "small_samples":
        laws = ["isotropic", "thin", "sphere classes", "related", "independent", "sphere pairs"]
        measures = ["cdnv", "directional_cdnv", "nc1", "participation_ratio", "cka", "rsa"]
        at = dict(n=[2, 100, 10_000], draws=[10], seed=[0, 1])
        table = rows((c.ESTIMATES,), rng, law=[*laws, "two points"], measure=measures, **at)
        return {"table": table}
    if name == "supcon_identities":
        forms = dict(objective=["supcon", "supcon_in"], seed=[0, 1])
        batches = rows((c.SUPCON,), rng, **forms, law=["random", "clustered"], tau=[0.1, 1.0])
        sees = dict(law=["spread", "one hard", "one hard of nine"], negatives=[1, 16])
        anchor = rows((c.SUPCON,), rng, **forms, **sees, cosine=[-1.0, 0.0, 1.0], tau=[0.1, 1.0])
        triplet = rows((c.SUPCON,), rng, seed=[0], tau=[0.01, 0.3, 100.0], u=[-6.0, 0.0, 6.0])
        parts = {"batches": batches, "anchor": anchor, "triplet": triplet}
        table = pd.concat([of.assign(part=part) for part, of in parts.items()], ignore_index=True)
        return {"table": table}
    if name == "supcon_accuracy":
        levels = ["supcon", "supcon_in", "nt_xent", "nscl", "cross_entropy", "supcon, 2 positives"]
        axes = dict(layer=["h", "z"], probe=["linear", "nearest centre", "neighbours"])
        more = dict(classes=["seen", "unseen"], m=[1, 160], level=levels)
        return {"table": rows((c.ACCURACY,), rng, **two, **axes, **more)}
    if name == "supcon_robustness":
        levels = dict(level=["supcon", "dcl", "nscl", "cross_entropy"], layer=["h", "z"])
        kinds = dict(corruption=["shot noise", "pixelate"], severity=[0, 1, 5])
        worse = rows((c.ROBUSTNESS,), rng, **two, **levels, **kinds, part=["corrupted"])
        worse = worse[(worse["severity"] > 0) | (worse["corruption"] == "pixelate")]
        at = dict(level=["adamw, lr = 0.002", "sgd, lr = 0.1"], layer=["h"], part=["grid"])
        grid = rows((c.ROBUSTNESS,), rng, **two, **at, objective=["supcon", "cross_entropy"])
        return {"table": pd.concat([worse, grid.assign(severity=0)], ignore_index=True)}
    if name == "augmentation":
        levels = {"strength 0": 0.0, "strength 1": 1.0, "strength 2": 2.0}
        every = [*levels, "without crop", "mixup"]
        axes = dict(level=every, objective=["dcl", "supcon"], layer=["h", "z"], probe=["linear"])
        table = rows((c.ACCURACY, c.GAP, c.GEOMETRY, c.AUGMENTATION), rng, **two, **axes)
        return {"table": table.assign(tau=1.0, strength=table["level"].map(levels).fillna(1.0))}
    if name == "transfer":
        sides = dict(data=["glyphs", "kanji"], target=["glyphs", "kanji"], layer=["h"])
        ways = dict(protocol=["labelled", "resampled"], probe=["linear", "nearest centre"])
        more = dict(classes=["seen", "unseen"], m=[1, 40], ways=[2, 3])
        trained = dict(objective=["supcon", "cross_entropy"])
        return {
            "table": rows((c.FEW_SHOT, c.TRANSFER), rng, **two, **sides, **ways, **more, **trained)
        }
    if name == "captured_energy":
        laws = ["gaussian", "enumerated", "views", "few shots", "axes"]
        at = dict(protocol=laws, classes=["one content", "a faint view"], r=[1.0, 9.0], m=[1, 20])
        table = rows((c.CAPTURED_ENERGY,), rng, **at, **two, **trained, **both)
        return {"table": table.assign(epoch=table["step"] / 4)}
    if name == "alignment":
        others = ["nscl", "supcon", "cross_entropy", "order", "seed", "start"]
        about = dict(seed=[0, 1], layer=["h"], split=["test"])
        pairs = rows((c.ALIGNMENT,), rng, protocol=["pair"], other=others, step=[0, 5, 50], **about)
        swept = rows(
            (c.ALIGNMENT,),
            rng,
            protocol=["sweep"],
            factor=["C", "tau", "batch"],
            rule=["B", "base"],
            C=[4, 10],
            tau_train=[0.5, 1.0],
            batch=[64, 128],
            **about,
        )
        drifts = dict(protocol=["surrogate", "published"], tau=[1.0, 0.5], C=[4, 10])
        drift = rows((c.ALIGNMENT,), rng, **drifts, rate=[1.0, 10.0], seed=[0, 1])
        table = pd.concat([pairs, swept, drift], ignore_index=True)
        return {"table": table.assign(epoch=table["step"] / 4, weight=np.nan)}
    if name == "gaussianity":
        laws = dict(law=["gaussian", "sphere"], protocol=["features", "power", "few shots"])
        at = dict(layer=["z"], objective=["dcl", "nscl", "supcon", "cross_entropy"], m=[1.0, 5.0])
        table = rows((c.GAUSSIANITY,), rng, **two, **laws, **at, step=[0, 5, 50])
        return {"table": table.assign(epoch=table["step"] / 4)}
    if name == "multitask":
        parts = dict(protocol=["factors", "constructed", "axes", "few shots"], layer=["h"])
        at = dict(seed=[0, 1], step=[0, 5, 50], spread=[0.1, 0.01], m=[1, 5], C1=[2, 3])
        table = rows((c.MULTITASK,), rng, **parts, **at, attribute=["script", "case"])
        return {"table": table.assign(C2=2, epoch=table["step"] / 4)}
    if name == "pretrained":
        about = dict(encoder=["minilm", "pixels"], data=["wordnet", "digits"], seed=[0, 1])
        labels = ["true", "coarse", "shuffled"]
        exact = rows((c.GAP, c.PLACEMENT), rng, **about, labels=labels, tau=[1.0, 0.05])
        shots = rows((c.FEW_SHOT, c.PLACEMENT), rng, **about, m=[1.0, 10.0, np.inf], ways=[2, 4])
        both = (exact.assign(protocol="exact"), shots.assign(protocol="resampled"))
        return {"table": pd.concat(both, ignore_index=True)}
    if name == "minimisers":
        shape = dict(C=[4], n=[3], K=[2], seed=[0, 1], tau=[0.1, 1.0])
        parts = rows(
            (c.MINIMISERS,),
            rng,
            **shape,
            d=[2, 3, 6],
            objective=["nscl", "supcon", "dcl"],
            part=["landscape", "class simplex", "ascent"],
        )
        descent = rows(
            (c.MINIMISERS,), rng, **shape, objective=["nscl", "dcl"], iteration=[0, 1, 5]
        )
        names = [
            "nscl, d = 11",
            "dcl, d = 11",
            "nscl, C = 4, d = 3, tau = 0.1, 2.2 above L*, start 3",
        ]
        spectrum = rows(
            (c.EIGENVALUES,),
            rng,
            **shape,
            d=[3],
            part=["class simplex", "spurious"],
            objective=["nscl", "dcl"],
            counts=["", "a", "b"],
        )
        return {
            "table": parts,
            "descent": descent,
            "spectrum": spectrum,
            "gram": rows((c.GRAM,), rng, panel=names, i=range(4), j=range(4)),
        }
    assert name == "universality", f"{name} is drawn: give it ordinary tables here"
    points = pd.DataFrame(
        [
            ("base", "CL", "base"),
            ("objective", "untrained", "objective=untrained"),
            ("d", "8", "d=8"),
        ],
        columns=["factor", "value", "level"],
    )
    table = rows(
        (c.GAP, c.FLOORS),
        rng,
        level=list(points["level"]),
        seed=[0, 1],
        tau=[1.0, 0.1],
        labels=["true", "coarse", "random", "kmeans", "kmeans_equal"],
    )
    return {"table": table.drop(columns=["factor", "value"]).merge(points, on="level")}


def first_row(table: pd.DataFrame) -> pd.DataFrame:
    return table.head(1)


def one_seed(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["seed"] == 0] if (table["seed"] == 0).any() else table


def one_number_of_classes(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["C"] == table["C"].min()] if table["C"].nunique() < 3 else table


def half(table: pd.DataFrame) -> pd.DataFrame:
    return table.sample(frac=0.5, random_state=0)


def no_numbers(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("number").columns.difference(columns.IDENTITY.names)
    return table.assign(**{name: np.nan for name in numbers})


def constant(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("number").columns.difference([*columns.IDENTITY.names, "i", "j"])
    return table.assign(**{name: 0.0 for name in numbers})


def unequal_classes(table: pd.DataFrame) -> pd.DataFrame:
    about = ("published", "ceiling", "centred", "above_floor")
    return table.assign(**{n: np.nan for n in table if n.endswith(about)})


def no_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.head(0)


def no_columns(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame()


CHANGES = (
    first_row,
    one_seed,
    one_number_of_classes,
    half,
    no_numbers,
    constant,
    unequal_classes,
    no_rows,
    no_columns,
)


@pytest.fixture
def seen(monkeypatch):
    """The sheets that are saved."""
    sheets, save = [], style.Sheet.save

    def saved(sheet, *arguments, **options):
        save(sheet, *arguments, **options)
        sheets.append(sheet)

    monkeypatch.setattr(style.Sheet, "save", saved)
    return sheets


@pytest.fixture
def quick(monkeypatch):
    """Figures are laid out, and a file is left, but nothing is rendered."""

    def laid_out(figure, path, **options):
        if path.suffix == ".pdf":
            figure.draw_without_rendering()
        path.write_text("laid out")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", laid_out)


def files(name: str) -> list[str]:
    return [name + part for part in FIGURES.get(name, ("",))]


def words(sheet) -> list[Text]:
    return [text for text in sheet.figure.findobj(Text) if text.get_text().strip()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "font"), [(3.25, "serif"), (5.5, "sans")])
def test_a_figure_has_its_width_and_no_text_under_6_points(
    name, width, font, tmp_path, seen, quick
):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a character that the font lacks
        module(name).draw(ordinary(name), tmp_path, width=width, font=font)
    assert len(seen) == len(files(name))
    for sheet in seen:
        assert sheet.figure.get_figwidth() == width
        assert words(sheet)
        small = [text.get_text() for text in words(sheet) if text.get_fontsize() < 6]
        assert not small
        scripts = [
            t.get_text() for t in words(sheet) if "^" in t.get_text() or "_{" in t.get_text()
        ]
        assert not scripts  # raised and lowered digits are drawn at .7 of the size
        families = {text.get_fontfamily()[0] for text in words(sheet)}
        assert families == {"STIXGeneral" if font == "serif" else "DejaVu Sans"}
        page = sheet.figure.bbox.padded(1)
        title = sheet.figure._suptitle
        assert title and page.contains(*title.get_window_extent().max), title
        for panel in sheet.panels:
            axes = panel.axes
            for text in (axes._left_title, axes.xaxis.label, axes.yaxis.label):
                at = text.get_window_extent()
                ends = ((at.x0, at.y0), (at.x1, at.y1))
                assert not text.get_text() or all(page.contains(*end) for end in ends), text
        assert all(panel.drawn for panel in sheet.panels), "an ordinary table fills every panel"
        assert len({panel.letter for panel in sheet.panels}) == len(sheet.panels)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_any_table_is_drawn_and_an_empty_panel_says_why(name, change, tmp_path, seen, quick):
    tables = {key: change(table) for key, table in ordinary(name).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module(name).draw(tables, tmp_path)
    for stem in files(name):
        assert all((tmp_path / f"{stem}.{kind}").stat().st_size for kind in ("pdf", "png", "csv"))
    for sheet in seen:
        for panel in sheet.panels:
            assert np.isfinite([panel.axes.get_xlim(), panel.axes.get_ylim()]).all()
            said = " ".join(t.get_text() for t in panel.axes.findobj(Text)).replace("\n", " ")
            assert "nan" not in said.split()
            assert panel.drawn or (panel.notes or [panel.absent])[0] in said
    if change in (no_rows, no_columns):
        assert not any(panel.drawn for sheet in seen for panel in sheet.panels)


def test_own_data_with_unequal_classes_say_that_bounds_are_absent(tmp_path, seen, quick):
    for name in ("gap_vs_classes", "loss_tracking"):
        tables = {key: unequal_classes(table) for key, table in ordinary(name).items()}
        module(name).draw(tables, tmp_path)
        panel = seen.pop().panels[0]
        assert style.UNEQUAL in panel.notes and panel.drawn
        assert not [rows for rows in panel.drawn if rows["series"].str.contains("published").any()]


@pytest.mark.parametrize(
    ("evaluated", "trained", "titles"),
    [
        ((1.0, 0.5), 0.5, ("τ = 1 (as published)", "τ = 0.5 (trained)")),
        ((1.0, 0.07), 0.2, ("τ = 1 (as published)", "τ = 0.07")),
        ((0.5, 0.07), 0.2, ("τ = 0.5", "τ = 0.07")),
        ((1.0, 0.5), 1.0, ("τ = 1 (as published, trained)", "τ = 0.5")),
    ],
)
def test_titles_follow_from_the_temperatures_of_the_table(
    evaluated, trained, titles, tmp_path, seen, quick
):
    table = ordinary("gap_vs_classes")["table"].assign(tau_train=trained)
    table["tau"] = table["tau"].replace({1.0: evaluated[0], 0.5: evaluated[1]})
    module("gap_vs_classes").draw({"table": table}, tmp_path)
    found = [" ".join(seen[0].panels[k].title.split()) for k in (0, 2)]
    assert [title.split("gap, ")[1] for title in found] == list(titles)


def test_a_figure_comes_with_its_caption_and_each_panel_alone(tmp_path):
    module("few_shot_counterexample").draw(
        ordinary("few_shot_counterexample"), tmp_path, singly=True
    )
    said = json.loads((tmp_path / "figures.json").read_text())["few_shot_counterexample"]
    caption = (tmp_path / "caption.tex").read_text()
    assert r"\includegraphics{few_shot_counterexample.pdf}" in caption
    assert r"\label{fig:few_shot_counterexample}" in caption
    assert f"\\textbf{{{said['title']}.}}" in caption and r"(\textbf{b}) V = 2 $\surd$m" in caption
    assert said["colors"]["NeurIPS form"] == style.BOUNDS["neurips"]["color"]
    names = {path.stem for path in (tmp_path / "panels").iterdir()}
    assert names == {f"few_shot_counterexample-{of}" for of in ("a", "b", "legend")}


def test_words_at_the_ends_of_lines_are_apart_and_said_once():
    table = pd.DataFrame({"x": [1, 2] * 4, "seed": 0, "y": [1, 4, 1, 4.01, 1, 4.05, 1, 9.0]})
    panel = style.Sheet(1).panel("a title")
    for k, tag in enumerate(["C = 2", "C = 2", "C = 4", "C = 4"]):
        panel.curve(table[2 * k : 2 * k + 2], "x", "y", tag=tag, color=f"C{k}")
    panel.finish()
    found = [(text.get_text(), text.xyann[1], text.get_color()) for text in panel.axes.texts]
    assert [word for word, *_ in found] == ["C = 2", "C = 4", "C = 4"]
    assert [color for *_, color in found] == ["k", "C2", "C3"]  # of two lines that meet, of one
    assert found[0][1] == 0 and found[1][1] > 0  # moved up, away from the first


@pytest.mark.parametrize("name", ["few_shot_counterexample", "universality"])
def test_equal_tables_give_equal_bytes_and_leave_the_settings_alone(name, tmp_path):
    before = {key: value for key, value in matplotlib.rcParams.items() if key != "backend"}
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        module(name).draw(ordinary(name), tmp_path / folder)
    for path in sorted((tmp_path / "one").glob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    assert {key: matplotlib.rcParams[key] for key in before} == before


@pytest.mark.parametrize("name", NAMES)
def test_the_csv_says_what_the_picture_shows(name, tmp_path, seen, quick):
    module(name).draw(ordinary(name), tmp_path)
    for sheet, stem in zip(seen, files(name), strict=True):
        written = pd.read_csv(tmp_path / f"{stem}.csv")
        shown = pd.concat([rows for panel in sheet.panels for rows in panel.drawn])
        assert len(written) == len(shown) > 0
        assert set(written["panel"]) == {panel.letter for panel in sheet.panels}


def test_a_curve_is_the_mean_over_seeds_between_the_lowest_and_the_highest():
    table = pd.DataFrame({"x": [1, 1, 2, 2], "seed": [0, 1, 0, 1], "y": [1.0, 3.0, 5.0, np.nan]})
    panel = style.Sheet(1).panel("a title")
    drawn = panel.curve(table, "x", "y", label="a curve")
    assert drawn["mean"].tolist() == [2, 5] and drawn["n"].tolist() == [2, 1]
    assert drawn["low"].tolist() == [1, 5] and drawn["high"].tolist() == [3, 5]
    assert panel.axes.lines[0].get_ydata().tolist() == [2, 5]


def test_an_undeclared_column_is_an_error(tmp_path):
    @style.drawing(table=(columns.GAP,))
    def draw(tables, folder):
        tables["table"]["gaap"]

    with pytest.raises(KeyError, match="gaap"):
        draw({"table": pd.DataFrame({"gaap": [1.0]})}, tmp_path)


def test_text_is_broken_between_words_and_numbers_are_short():
    assert (
        style.fold("no bound: classes of unequal size", 16) == "no bound:\nclasses of\nunequal size"
    )
    numbers = (1, 0.001, 1e-12, 5000, 1e4, 100000, 0, -1)
    assert [style.short(x) for x in numbers] == [
        "1",
        "0.001",
        "1e-12",
        "5000",
        "1e4",
        "1e5",
        "0",
        "-1",
    ]


@pytest.mark.parametrize("name", ["few_shot_counterexample", "gap_vs_classes"])
def test_a_drawing_runs_as_a_command_without_torch(name, tmp_path):
    for key, table in ordinary(name).items():
        table.head(400).to_csv(tmp_path / f"{key}.csv", index=False)
    code = (
        f"import sys; sys.argv = ['x', {str(tmp_path)!r}, '--width', '3.25']; import runpy; "
        f"runpy.run_module('supcon_theory.analysis.{name}', run_name='__main__'); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / f"{name}.pdf").exists()


def test_a_folder_without_a_table_is_refused_in_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        style.main(module("gap_vs_classes").draw, [str(tmp_path)])
    assert stopped.value.code == 2
    assert "no table.csv: name the folder of a finished run" in capsys.readouterr().err


def test_drawings_type_no_threshold():
    """Numbers with an exponent are tolerances: they belong to claims and audits."""
    allowed = {"minimisers": {1e-17, 1e-16, 1e5}, "loss_tracking": {1e4}, "collapse": {1e-3}}
    for name in NAMES:
        tree = ast.parse(inspect.getsource(module(name)))
        numbers = {
            n.value
            for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, float)
        }
        assert {x for x in numbers if x and not 1e-3 < abs(x) < 1e4} <= allowed.get(name, set())
