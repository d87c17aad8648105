"""A page in a real browser, where there is one (Chromium): nothing fails, and nothing is wider than the screen."""

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (1200, 390)
"""A desktop and a phone, in CSS pixels."""
_MEASURE = """<script>addEventListener('load', () => { const told = [];
for (const frame of document.querySelectorAll('iframe')) { const page = frame.contentDocument;
  const broken = [...page.images].filter(image => !image.complete || image.naturalWidth === 0).length;
  told.push([frame.clientWidth, page.documentElement.scrollWidth, page.images.length, broken]); }
document.body.innerHTML = '<pre id="told">' + JSON.stringify(told) + '</pre>'; });</script>"""


def check_rendering(page: Path) -> None:
    """Open a self-contained page at both widths; AssertionError if it is too wide or a picture broken. No browser: nothing."""
    if CHROMIUM is None:
        return
    source = html.escape(page.read_text(encoding="utf-8"))
    frames = "".join(f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{source}"></iframe>' for width in WIDTHS)
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name) / "outer.html"
        outer.write_text(f"<!doctype html><body>{frames}{_MEASURE}</body>", encoding="utf-8")
        command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={name}/profile"]
        command += ["--virtual-time-budget=20000", "--window-size=1600,1000", "--enable-logging=stderr"]
        command += ["--dump-dom", outer.as_uri()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    told = re.search(r'<pre id="told">(.*?)</pre>', ended.stdout, re.DOTALL)
    assert told is not None, ended.stderr[-2000:]
    for width, needed, pictures, broken in json.loads(html.unescape(told.group(1))):
        assert needed <= width, f"{page}: {needed} pixels wide on a screen of {width}"
        assert broken == 0, f"{page}: {broken} of {pictures} pictures do not show"
    errors = [line for line in ended.stderr.splitlines() if "CONSOLE" in line and "ERROR" in line]
    assert not errors, errors
