"""A page in headless Chromium: what a script finds in it, the console, what it fetches."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--allow-file-access-from-files",  # so that the frame around the page may look into it
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing leaves this machine
    *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=4000"),
)
FRAME = """<!doctype html><meta charset="utf-8"><iframe id="f" width="{width}" height="800"
style="border:0" src="{page}"></iframe><pre id="found"></pre><script>
document.getElementById("f").addEventListener("load", (event) => {{
  const window = event.target.contentWindow, document = window.document;
  let found;
  try {{ found = {{value: (() => {{ {script} }})()}}; }}
  catch (error) {{ found = {{error: String(error)}}; }}
  const place = globalThis.document.getElementById("found");
  place.textContent = "FOUND" + JSON.stringify(found) + "END";
}});
</script>"""


class Opened(NamedTuple):
    """What a script returned, the lines of the console, the addresses outside that were fetched."""

    value: object
    console: list[str]
    outside: set[str]


@cache
def browser() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def open_page(page: Path, script: str, folder: Path, width: int = 360) -> Opened:
    """Open a page in a frame of this width, run the body of a function of window and document."""
    if browser() is None:
        pytest.skip("no Chromium: apt-get install chromium")
    frame, log = folder / "frame.html", folder / "net.json"
    frame.write_text(
        FRAME.format(width=width, page=page.resolve().as_uri(), script=script), encoding="utf-8"
    )
    places = (f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom")
    ended = subprocess.run(
        [str(browser()), *FLAGS, *places, frame.resolve().as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    seen = re.search(r'id="found">FOUND(.*)END</pre>', ended.stdout, re.DOTALL)
    assert seen, ended.stderr[-2000:] or ended.stdout[-2000:]
    text = seen[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    found = json.loads(text)
    assert "error" not in found, found["error"]
    console = [line for line in ended.stderr.splitlines() if ":CONSOLE" in line]
    asked = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    # the browser's own requests come from no origin
    ours = {p["url"] for p in asked if p.get("initiator", "not an origin") != "not an origin"}
    return Opened(found.get("value"), console, {url for url in ours if url.startswith("http")})
