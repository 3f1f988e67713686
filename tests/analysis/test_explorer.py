"""docs/explorer.html: its script equals the package, its points the published tables."""

import json

import numpy as np
import pytest
from supcon_theory.analysis import explorer

from supcon_theory.objectives import IDS
from supcon_theory.rulers.floors import FLOORS
from supcon_theory.rulers.losses import LOSSES, read_options
from supcon_theory.rulers.scale import ends
from supcon_theory.rulers.setting import Setting, apart
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.counts import kappa
from supcon_theory.theory.gap import published_bound
from tests.browser import open_page

POINTS = 1000
SCRIPT = """
const points = %s;
const wide = document.documentElement;
const before = document.getElementById("verdict").textContent;
document.getElementById("value").value = "2.0";
document.getElementById("value").dispatchEvent(new Event("input"));
return {
  values: points.map(([id, C, n, K, tau]) => window.values(id, C, n, K, tau)),
  gaps: points.map(([, C, n, , tau]) => window.gap(C, n, tau)),
  ids: [...document.getElementById("id").options].map((option) => option.value),
  overflow: wide.scrollWidth - wide.clientWidth,
  marks: document.querySelectorAll("#ruler .mark, #gap .mark").length,
  labels: [...document.querySelectorAll("svg[role=img]")].map((s) => s.getAttribute("aria-label")),
  verdicts: [before, document.getElementById("verdict").textContent],
};
"""


def settings(count):
    rng = np.random.default_rng(0)
    for k in range(count):
        C, n = (int(2 * 60 ** rng.random()) for _ in range(2))
        yield IDS[k % len(IDS)], C, n, int(rng.integers(1, 9)), float(0.05 * 40 ** rng.random())


def by_python(id, C, n, K, tau):
    """The lines that the page shows, from the package."""
    loss, options = LOSSES[id], read_options(id, {})
    if K < 2 and "own" in loss.needs:
        return None
    ruler = Setting(loss, FLOORS[id], options, n * C, K, tau, None, np.full(C, 1 / C), True)
    least, *best = ruler.floor(ruler)
    N, equal = n * C, apart(ruler, 0.0).mean
    labelled = loss.labelled and id != "cross_entropy"
    return {
        "least": least.value,
        "best": best[0].value if best else None,
        "collapse": ruler.at(1.0, 1.0, -1 / (C - 1)).mean,
        "instances": ruler.at(1.0, -1 / (N - 1), -1 / (N - 1)).mean if labelled else None,
        "margin": apart(ruler, 0.3).mean,
        "equal": equal,
        "most": ends(ruler)[-1].value,
    }


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    points = [list(setting) for setting in settings(POINTS)]
    return open_page(explorer.PAGE, SCRIPT % json.dumps(points), tmp_path_factory.mktemp("page"))


def test_the_rulers_of_the_page_are_those_of_the_package(opened):
    assert opened.value["ids"] == list(IDS)
    for setting, found in zip(settings(POINTS), opened.value["values"], strict=True):
        wanted = by_python(*setting)
        assert (found is None) == (wanted is None), setting
        for name, value in (wanted or {}).items():
            if value is None:
                assert found[name] is None, (setting, name)
            else:
                assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (setting, name)


def test_the_gaps_of_the_page_are_those_of_the_package(opened):
    _, C, n, _, tau = (np.array(column) for column in zip(*settings(POINTS), strict=True))
    wanted = {
        "published": published_bound(C, tau),
        "ceiling": etf_ceiling(C, n, tau),
        "counting": np.log1p(kappa(C, n)),
    }
    for name, values in wanted.items():
        found = [gap[name] for gap in opened.value["gaps"]]
        np.testing.assert_allclose(found, values, rtol=1e-9, err_msg=name)


def test_the_page_fits_a_narrow_window_and_fetches_nothing(opened):
    assert opened.value["overflow"] == 0 and not opened.outside and not opened.console
    assert opened.value["marks"] > 60 and all(opened.value["labels"])
    before, after = opened.value["verdicts"]
    assert "Type a value" in before and "below what is possible" in after.lower()


def test_the_points_of_the_page_are_those_of_the_published_tables():
    text = explorer.PAGE.read_text(encoding="utf-8")
    assert explorer.page(text) == text, "run python -m supcon_theory.analysis.explorer"
    assert len(explorer.points()) > 50
