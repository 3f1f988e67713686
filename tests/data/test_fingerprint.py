import numpy as np
import pytest

from supcon_theory.data.fingerprint import fingerprint


def test_shipped_data_need_no_fingerprint():
    assert fingerprint("glyphs") == fingerprint("kanji") == ""


def test_another_content_of_a_file_has_another_fingerprint(tmp_path):
    file, seen = tmp_path / "x.npz", set()
    for value in range(3):
        np.savez(file, x=np.full(9, value))
        seen.add(fingerprint(file))
        assert fingerprint(str(file)) in seen
    assert len(seen) == 3


def test_unknown_data_have_no_fingerprint(tmp_path):
    with pytest.raises(ValueError, match="unknown data set"):
        fingerprint(tmp_path / "none.npz")
