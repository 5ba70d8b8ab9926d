"""Helpers for tests of the live page: producing messages, opening the page, using its box.

May not import the service, which runs as a process and is tested through the page alone.
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

# Longer than a start of the service takes on a busy machine.
WAIT_MS = 60_000
TOPICS = {"INPUT": "page.in", "OUTPUT": "page.out", "DEAD_LETTER": "page.dead"}
_groups = itertools.count()


class Stream:
    """Produces messages for the page to show."""

    def __init__(self, address: str) -> None:
        """Produce to the broker at this address."""
        self.address = address
        self._producer = Producer({"bootstrap.servers": address})

    def settings(self, **more: str) -> dict[str, str]:
        """Settings of a service with the page, in a new group that starts at the end of topics."""
        topics = {f"KAFKA__{name}_TOPIC": topic for name, topic in TOPICS.items()}
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.address,
            "KAFKA__GROUP_ID": f"page-{next(_groups)}",
            "KAFKA__AUTO_OFFSET_RESET": "latest",
            # The demo's broker treats a member that has left like one that is lost.
            "KAFKA__SESSION_TIMEOUT_MS": "6000",
            # Nor does it refuse what such a member commits.
            "DELIVERY__MODE": "at_least_once",
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
    """Open the page; a JavaScript error in it fails the test at its end."""
    context = browser.new_context(**options)
    shown = context.new_page()
    errors: list[str] = []
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    shown.goto(f"http://127.0.0.1:{port}/")
    expect(shown.locator("#state")).to_have_text("Live")
    yield shown
    context.close()
    assert errors == []


def row(page: Page, text: str) -> Locator:
    """The row of a message."""
    return page.locator("#list li").filter(has=page.get_by_text(text, exact=True)).first


def ask(page: Page, sentence: str) -> None:
    """Type a sentence into the box, and wait for its score."""
    page.locator("#sentence").fill(sentence)
    page.locator("#sentence").press("Enter")
    expect(page.locator("#answer")).to_be_visible()
