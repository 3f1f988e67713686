"""Statistics, one value per seed, of errors on corrupted images and over a grid of settings.

The table is that of `audits.robustness`. Torch-free: claims, summaries and figures share them.
"""

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select
from supcon_theory.theory.corruption_error import corruption_error

ONE_STAGE = ("cross_entropy", "z")  # its network, the classifier refitted on the output z


def of_encoder(rows: pd.DataFrame, level: str, layer: str) -> pd.DataFrame:
    """The rows of an encoder on held-out images, corrupted or not."""
    return select(rows, {"part": "corrupted", "level": level, "layer": layer})


def mean_corruption_errors(
    rows: pd.DataFrame, level: str, layer: str = "h", relative: bool = False
) -> pd.Series:
    """Per seed, the mCE or relative mCE of an encoder's features, cross-entropy's network being 1.

    Args:
        rows: Of a table.
        level: The encoder.
        layer: Of its features, h or z.
        relative: Of what is lost against clean images.

    Returns:
        NaN where an error is, and where cross-entropy loses nothing to a kind.
    """
    theirs = _errors(of_encoder(rows, *ONE_STAGE))
    found = {}
    for seed, (clean, error) in _errors(of_encoder(rows, level, layer)).items():
        if seed not in theirs:
            found[seed] = np.nan
            continue
        before, reference = theirs[seed]
        cleans = (clean, before) if relative else ()
        found[seed] = corruption_error(error, reference.reindex_like(error), *cleans)
    return pd.Series(found, dtype=float)


def kind_ratios(rows: pd.DataFrame, level: str, layer: str = "h") -> pd.DataFrame:
    """Of each kind and seed, the errors of an encoder's features over those of cross-entropy.

    Args:
        rows: Of a table.
        level: The encoder.
        layer: Of its features.

    Returns:
        Columns seed, corruption and ratio, whose mean over kinds is the mCE.
    """
    theirs, found = _errors(of_encoder(rows, *ONE_STAGE)), []
    for seed, (_, error) in _errors(of_encoder(rows, level, layer)).items():
        reference = theirs[seed][1] if seed in theirs else error * np.nan
        for kind, of in error.iterrows():
            ratio = corruption_error([of], reference.reindex(index=[kind]))
            found.append({"seed": seed, "corruption": kind, "ratio": ratio})
    return pd.DataFrame(found, columns=["seed", "corruption", "ratio"])


def _errors(rows: pd.DataFrame) -> dict:
    """For each seed the clean error, and a table of those of each kind (rows) and severity."""
    found = {}
    for seed, of in rows.groupby("seed"):
        worse = of[of["severity"] > 0]
        if len(worse):
            table = worse.pivot(index="corruption", columns="severity", values="error")
            found[seed] = of.loc[of["severity"] == 0, "error"].mean(), table
    return found


def clean_calibration(rows: pd.DataFrame, level: str, layer: str = "h") -> pd.Series:
    """Per seed, the calibration error of an encoder's probe on clean images."""
    of = of_encoder(rows, level, layer).query("severity == 0").set_index("seed")
    return pd.Series(of["ece"], dtype=float)


def log_variance_ratio(rows: pd.DataFrame, level: str, rival: str) -> pd.Series:
    """Per seed, the log of the variance of accuracy over the grid, that of `level` over `rival`'s.

    Args:
        rows: Of a table.
        level: An objective.
        rival: Another.

    Returns:
        NaN where one of the variances is 0, or unknown since a setting lacks one of the two.
    """
    grid = select(rows, {"part": "grid"})
    at = ["seed", "optimiser", "lr", "strength"]
    means = pd.Series(grid.groupby([*at, "objective"])["error"].mean())
    errors = pd.DataFrame(means.unstack("objective")).reindex([level, rival], axis=1)
    found = {}
    for seed, of in errors.groupby("seed"):
        ours, theirs = of.to_numpy(float).var(axis=0, ddof=1) if len(of) > 1 else (0.0, 0.0)
        found[seed] = np.log(ours / theirs) if ours > 0 and theirs > 0 else np.nan
    return pd.Series(found, dtype=float)


def encoder_means(table: pd.DataFrame) -> pd.DataFrame:
    """Of each encoder and layer the means over seeds of errors, mCE (in per cent) and ECE."""
    found = []
    corrupted = select(table, {"part": "corrupted"})
    about = corrupted[["C", "level", "layer"]].drop_duplicates()
    for C, level, layer in about.itertuples(index=False):
        at_C = select(table, {"C": C})
        rows = of_encoder(at_C, level, layer)
        clean, worse = rows[rows["severity"] == 0], rows[rows["severity"] > 0]
        mce = [
            100 * mean_corruption_errors(at_C, level, layer, relative).mean()
            for relative in (False, True)
        ]
        found.append(
            {"C": C, "level": level, "layer": layer, "clean": 100 * clean["error"].mean()}
            | {"corrupted": 100 * worse["error"].mean(), "mCE": mce[0], "relative mCE": mce[1]}
            | {"ECE": clean["ece"].mean(), "ECE corrupted": worse["ece"].mean()}
        )
    return pd.DataFrame(found)


def grid_means(table: pd.DataFrame) -> pd.DataFrame:
    """Error at each setting of the grid: the mean over seeds, a column for each objective."""
    rows = select(table, {"part": "grid"})
    by = ["C", "optimiser", "lr", "strength"]
    found = rows.pivot_table(index=by, columns="objective", values="error", sort=False)
    return (100 * found).reset_index().rename_axis(columns=None)
