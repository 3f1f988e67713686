"""Results of another version or schema are recomputed and told, or refused: never mixed.

Covers the version of an audit, of training and of the recipe in stored manifests, entries moved to
another's place, and a manifest without the fields of today.
"""

import json
import shutil

import pytest

from tests.faults.forked import results, run, undisturbed

NAME = "collapse"
OTHER = {
    "the version of an audit": ("cells", lambda m: m["audits"].update(collapse=99)),
    "the version of training": ("encoders", lambda m: m.update(version=0)),
    "the recipe": ("encoders", lambda m: m["recipe"].update(lr=1.0)),
    "another schema": ("cells", lambda m: [m.pop(k) for k in ("audits", "config")]),
}


@pytest.mark.parametrize("what", OTHER)
def test_what_another_version_stored_is_computed_again(tmp_path, what):
    room, alter = OTHER[what]
    out = shutil.copytree(undisturbed(NAME).out, tmp_path / "out")
    for manifest in out.glob(
        f"{NAME}/cells/*/manifest.json" if room == "cells" else "encoders/*/manifest.json"
    ):
        content = json.loads(manifest.read_text())
        alter(content)
        manifest.write_text(json.dumps(content))
    if room == "encoders":
        shutil.rmtree(out / NAME / "cells")
    ended = run(NAME, out)
    assert ended.code == 0 and "is about another" in ended.said, ended.said
    assert results(out, NAME) == undisturbed(NAME).tables


def test_entries_that_changed_places_are_not_taken_for_each_other(tmp_path):
    out = shutil.copytree(undisturbed(NAME).out, tmp_path / "out")
    one, two = sorted(path for path in (out / "encoders").iterdir() if path.is_dir())
    aside = one.with_name("aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)
    shutil.rmtree(out / NAME / "cells")
    ended = run(NAME, out)
    assert ended.code == 0 and "is about another recipe" in ended.said, ended.said
    assert results(out, NAME) == undisturbed(NAME).tables


def test_a_results_folder_of_another_configuration_is_not_overwritten(tmp_path):
    out = tmp_path / "out"
    assert run("few_shot_counterexample", out, "--name", "mine").code == 0
    ended = run("few_shot_counterexample", out, "--name", "mine", "--seeds", "3")
    assert ended.code == 2 and "another configuration" in ended.said, ended.said
