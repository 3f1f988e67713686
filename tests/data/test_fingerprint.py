from supcon_theory.data.fingerprint import fingerprint


def test_shipped_data_need_no_fingerprint():
    assert fingerprint("glyphs") == fingerprint("kanji") == ""


def test_another_content_has_another_fingerprint(tmp_path):
    file = tmp_path / "x.npz"
    seen = set()
    for content in (b"one", b"two"):
        file.write_bytes(content)
        assert fingerprint(file) == fingerprint(str(file))
        seen |= {fingerprint(file), fingerprint(tmp_path)}
    (tmp_path / "more").write_bytes(b"three")
    assert len(seen | {fingerprint(tmp_path)}) == 5
