"""The live page for its tests: what is produced for it, and how it is opened and asked.

May not import the service: it is a process, and the page is all that is seen of it.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

# More than a start of the service on a busy machine.
WAIT_MS = 60_000
TOPICS = {"INPUT": "page.in", "OUTPUT": "page.out", "DEAD_LETTER": "page.dead"}
_groups = itertools.count()


class Stream:
    """What is produced for the page to show."""

    def __init__(self, address: str) -> None:
        """Produce to the broker there."""
        self.address = address
        self._producer = Producer({"bootstrap.servers": address})

    def settings(self, **more: str) -> dict[str, str]:
        """Settings of a service with the page, in a group that begins where topics end."""
        topics = {f"KAFKA__{name}_TOPIC": topic for name, topic in TOPICS.items()}
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.address,
            "KAFKA__GROUP_ID": f"page-{next(_groups)}",
            "KAFKA__AUTO_OFFSET_RESET": "latest",
            # The demo's broker waits for a member that has left as for one that is lost.
            "KAFKA__SESSION_TIMEOUT_MS": "6000",
            "HTTP__PAGE": "true",
            "HTTP__SCORE": "true",
            **topics,
            **more,
        }

    def send(self, *texts: str, **fields: Any) -> None:
        """Produce messages with these texts and fields."""
        values = [json.dumps({"text": text, **fields}).encode() for text in texts]
        self.send_values(*values)

    def send_values(self, *values: bytes) -> None:
        """Produce records with these values."""
        for value in values:
            self._producer.produce(TOPICS["INPUT"], value)
        assert 0 == self._producer.flush(WAIT_MS / 1000)


def opened(browser: Browser, port: int, **options: Any) -> Iterator[Page]:
    """Open the page; whatever goes wrong in it fails the test at its end."""
    context = browser.new_context(**options)
    shown = context.new_page()
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    shown.goto(f"http://127.0.0.1:{port}/")
    expect(shown.locator("#state")).to_have_text("Live")
    yield shown
    context.close()
    assert wrong == []


def row(page: Page, text: str) -> Locator:
    """The row of a message."""
    return page.locator("#list li").filter(has=page.get_by_text(text, exact=True)).first


def ask(page: Page, sentence: str) -> None:
    """Type a sentence into the box, and wait for its score."""
    page.locator("#sentence").fill(sentence)
    page.locator("#sentence").press("Enter")
    expect(page.locator("#answer")).to_be_visible()
