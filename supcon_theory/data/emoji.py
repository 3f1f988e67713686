"""Emoji as drawn by three vendors: three views of one emoji, labelled by group and subgroup.

Noto (Google, Apache-2.0), Twemoji (Twitter, CC-BY-4.0) and Fluent 3D (Microsoft, MIT), read from
the archives that `npm pack` brings, without unpacking them. Emoji that one of the three lacks are
left out, and so are skin tones, which differ in colour only. No image is part of this package.
"""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from supcon_theory.data import pictures

SIZE = 64  # pixels: that of two of the vendors; the third's 256 are scaled down
VENDORS = ("google", "twitter", "fluent")


class Emoji(NamedTuple):
    """An emoji: its name, Unicode's group and subgroup, and the file name of each vendor."""

    name: str
    group: str
    subgroup: str
    files: tuple[str, ...]


def common(listed: str, present: Mapping[str, set[str]]) -> list[Emoji]:
    """The emoji that every vendor draws.

    Args:
        listed: `emoji.json` of the npm packages.
        present: vendor -> names of the files in its archive.

    Returns:
        them, in Unicode's order.
    """
    fluent = {_code(name.rpartition("/")[2]): name for name in present["fluent"]}
    found = []
    for entry in sorted(json.loads(listed), key=lambda entry: entry["sort_order"]):
        own = {v: f"package/img/{v}/64/{entry['image']}" for v in ("google", "twitter")}
        drawn = fluent.get(_code(entry["image"]))
        if drawn and all(name in present[vendor] for vendor, name in own.items()):
            about = (entry["short_name"], entry["category"], entry["subcategory"])
            found.append(Emoji(*about, (*own.values(), drawn)))
    return found


def _code(file: str) -> str:
    """The code points of a file name, without leading zeros and the variation selector."""
    parts = file.partition(".")[0].lower().split("-")
    return "-".join(part.lstrip("0") for part in parts if part != "fe0f")


def read(archives: Mapping[str, bytes]) -> tuple[list[Emoji], np.ndarray]:
    """The emoji and their pictures.

    Args:
        archives: vendor -> the bytes of its `.tgz`.

    Returns:
        N emoji, and (N, 3, 3, 64, 64) uint8: emoji, vendors, colours; on white where transparent.
    """
    opened = {vendor: _members(data) for vendor, data in archives.items()}
    listed = opened["google"]["package/emoji.json"].decode()
    found = common(listed, {vendor: set(files) for vendor, files in opened.items()})
    images = np.empty((len(found), len(VENDORS), 3, SIZE, SIZE), np.uint8)
    for place, emoji in enumerate(found):
        for view, (vendor, file) in enumerate(zip(VENDORS, emoji.files, strict=True)):
            images[place, view] = pictures.colours(io.BytesIO(opened[vendor][file]), SIZE)
    return found, images


def _members(archive: bytes) -> dict[str, bytes]:
    """The pictures of single emoji in an archive, and the list of all, by their names."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            wanted = member.name.endswith((".png", ".webp")) and "sheets" not in member.name
            if (wanted or member.name == "package/emoji.json") and member.isfile():
                file = opened.extractfile(member)
                found[member.name] = file.read() if file else b""
    return found
