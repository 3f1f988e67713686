"""Pinned files: only the very bytes are read, and the sentence says how to get them."""

import hashlib

import pytest

from supcon_theory.data import pins


@pytest.mark.parametrize("name", pins.pins())
def test_every_pin_is_whole(name):
    pin = pins.pins()[name]
    assert len(pin.sha256) == 64 and int(pin.sha256, 16)
    assert pin.licence and pin.get.startswith(("pip install", "apt-get install", "npm pack"))
    assert "(PyPI)" in pin.package if pin.distribution else "(PyPI)" not in pin.package


def test_the_right_bytes_are_read_and_others_refused(tmp_path, monkeypatch):
    pin = pins.Pin("p 1 (npm)", "f.tgz", hashlib.sha256(b"right").hexdigest(), "MIT", "npm pack p")
    monkeypatch.setattr(pins, "pins", lambda: {"p": pin})
    with pytest.raises(ValueError, match=r"f.tgz of p 1 \(npm\) is not here: run `npm pack p`"):
        pins.read("p", tmp_path)
    (tmp_path / "f.tgz").write_bytes(b"right")
    assert pins.read("p", tmp_path) == b"right"
    (tmp_path / "f.tgz").write_bytes(b"wrong")
    with pytest.raises(ValueError, match=r"has SHA-256 .* not .* of p 1"):
        pins.read("p", tmp_path)


def test_a_python_package_that_is_not_installed_is_named_with_its_command(monkeypatch):
    pin = pins.Pin("w 1 (PyPI)", "w/w.bin", "0" * 64, "MIT", "pip install w", "no-such-thing")
    monkeypatch.setattr(pins, "pins", lambda: {"w": pin})
    with pytest.raises(ValueError, match=r"w/w.bin of w 1 \(PyPI\) is not here: run `pip install"):
        pins.read("w")
