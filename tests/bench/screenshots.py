"""Takes the pictures of the live page in the README: light, dark, and as wide as a phone.

    python tests/bench/screenshots.py --output .github

Runs the demo, so the messages are invented ones; needs Chromium and a machine that is not busy.
Each picture stays under 300 kB.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import expect

from tools.chromium import chromium, running_chromium
from tools.service_process import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

SENTENCE = "The people of Kenya were so kind to us, but the hotel was awful."
BYTES_MAX = 300_000
# Charts show two minutes.
WARM_S = 100
WAIT_MS = 60_000
SETTLE_MS = 25_000
PICTURES: dict[str, tuple[ViewportSize, str]] = {
    "page-light": ({"width": 1360, "height": 940}, "light"),
    "page-dark": ({"width": 1360, "height": 940}, "dark"),
    "page-phone": ({"width": 390, "height": 844}, "dark"),
}


def take(page: Page, path: Path) -> None:
    """Ask of a sentence, and take the picture."""
    page.locator("#sentence").fill(SENTENCE)
    page.locator("#sentence").press("Enter")
    expect(page.locator("#answer")).to_be_visible(timeout=WAIT_MS)
    page.locator("#sentence").blur()
    page.evaluate("scrollTo(0, 0)")
    # A browser that draws a page by software takes both cores of a small machine for seconds.
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=path)
    assert path.stat().st_size < BYTES_MAX, f"{path} has {path.stat().st_size} bytes"


def main() -> None:
    """Run the demo, wait until its charts are full, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(".github"))
    parser.add_argument("--names", nargs="+", choices=PICTURES, default=["page-light", "page-dark"])
    parser.add_argument("--warm", type=float, default=WARM_S, help="Seconds before the first.")
    options = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit("there is no Chromium here; install the package chromium")
    port = free_port()
    demo = subprocess.Popen(  # noqa: S603 - a port found here
        [sys.executable, "-m", "service", "demo", "--http-port", str(port)],
        stdout=subprocess.DEVNULL,
    )
    try:
        with running_chromium(path) as browser:
            first = browser.new_page()
            first.goto("about:blank")
            first.wait_for_timeout(1000 * options.warm)
            for name in options.names:
                size, scheme = PICTURES[name]
                context = browser.new_context(
                    viewport=size, color_scheme="dark" if scheme == "dark" else "light"
                )
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{port}/")
                page.wait_for_timeout(15_000)
                take(page, options.output / f"{name}.png")
                context.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()


if __name__ == "__main__":
    main()
