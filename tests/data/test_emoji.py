"""Archives with two emoji that all vendors draw and one that they do not."""

import io
import json
import tarfile

import numpy as np
from PIL import Image

from supcon_theory.data import emoji

LISTED = [
    {"short_name": n, "category": "G", "subcategory": s, "image": i, "sort_order": o}
    for n, s, i, o in (
        ("two", "b", "0032-fe0f-20e3.png", 9),
        ("cat", "a", "1f431.png", 3),
        ("odd", "a", "1f9ff.png", 1),
    )
]


def picture(kind: str, size: int, colour: tuple) -> bytes:
    file = io.BytesIO()
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    image.paste(colour, (0, 0, size, size // 2))
    image.save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as opened:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return file.getvalue()


def test_emoji_that_every_vendor_draws_are_read_as_views_in_unicodes_order():
    blue, red, green = (picture("PNG", 64, (0, 0, 255, 255)), picture("PNG", 64, (255, 0, 0, 255)),
                        picture("WEBP", 256, (0, 255, 0, 255)))  # fmt: skip
    names = [entry["image"] for entry in LISTED]
    google = {f"img/google/64/{name}": blue for name in names}
    google |= {"emoji.json": json.dumps(LISTED).encode(), "img/google/sheets/32.png": b"no image"}
    twitter = {f"img/twitter/64/{name}": red for name in names}
    fluent = {"assets/32-20e3.webp": green, "assets/1f431.webp": green}
    files = {"google": google, "twitter": twitter, "fluent": fluent}
    found, images = emoji.read({vendor: archive(content) for vendor, content in files.items()})
    assert [e[:3] for e in found] == [("cat", "G", "a"), ("two", "G", "b")]
    assert found[1].files[2] == "package/assets/32-20e3.webp"
    assert images.shape == (2, 3, 3, 64, 64) and images.dtype == np.uint8
    top = [tuple(image[:, 8, 8]) for image in images[0]]
    assert top == [(0, 0, 255), (255, 0, 0), (0, 255, 0)]
    assert (images[:, :, :, -1] == 255).all()  # what is transparent lies on white
