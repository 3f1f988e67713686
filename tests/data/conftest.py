import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache of its own for every test."""
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SUPCON_THEORY_CACHE", str(path))
    return path
