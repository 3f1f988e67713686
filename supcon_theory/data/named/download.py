"""Archives on request: by pooch, which checks the hash; gone on with after a break, and retried.

What has arrived lies in `<name>.part` and is renamed once it has the published hash, so a download
that dies at any moment leaves nothing that could be read as data.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from supcon_theory.data.cache import tell
from supcon_theory.data.named.sources import File

RETRIES = 3
WAIT = 60.0  # seconds without a byte after which a connection counts as broken
BLOCK = 1 << 14  # bytes; of a broken connection, at most as many are lost


def download(files: Iterable[File], root: Path) -> None:
    """Bring archives into a folder.

    Args:
        files: those that are missing.
        root: the folder; made if need be.

    Raises:
        ValueError: in one sentence, if one cannot be had or has not the published hash.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"data-root is {root} but that cannot be made ({error.strerror})."
        ) from None
    for file in files:
        with FileLock(root / f".{file.name}.lock"):  # another command may bring it just now
            if not (root / file.name).is_file():
                _fetch(file, root)


def _fetch(file: File, root: Path) -> None:
    import pooch
    from requests import RequestException

    tell(f"downloading {file.url} into {root}")
    fetcher = pooch.create(
        root, base_url="", registry={file.name: f"md5:{file.md5}"}, urls={file.name: file.url},
        retry_if_failed=RETRIES,
    )  # fmt: skip
    pooch.get_logger().setLevel("ERROR")
    try:
        fetcher.fetch(file.name, downloader=cast(Any, _resumed))
    except (RequestException, ValueError, OSError) as error:
        raise ValueError(
            f"{file.url} cannot be had ({_why(error)}): try again, or get it by other means and "
            f"put it into {root}."
        ) from None


def _resumed(url: str, output: Any, fetcher: Any) -> None:
    """Download to `<name>.part` from where it ends, then hand it over to be checked."""
    import requests

    name = next(name for name, known in fetcher.urls.items() if known == url)
    part = Path(fetcher.path) / f"{name}.part"
    there = part.stat().st_size if part.exists() else 0
    ask = {"Range": f"bytes={there}-"} if there else {}
    with requests.get(url, headers=ask, stream=True, timeout=WAIT) as answer:
        if answer.status_code == 416:  # nothing is left to send: the hash decides
            pass
        else:
            answer.raise_for_status()
            resumes = answer.status_code == 206
            with open(part, "ab" if resumes else "wb") as file:
                for block in answer.iter_content(BLOCK):
                    file.write(block)
    os.replace(part, output)


def _why(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server says {response.status_code} {response.reason}"
    if isinstance(error, ValueError):
        return "what arrives does not have the published hash"
    return type(error).__name__
