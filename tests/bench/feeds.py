"""What a feed costs in decoding: `PYTHONPATH=tests:. python tests/bench/feeds.py --feed slack`.

Decodes the same messages with the pointer to their text alone and with all that the feed stands
for, in turns, so that both see the same load of the machine. Prints microseconds a message and the
ratio of the medians; asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING

from service.records import Message, Partition, Record
from service.settings.feeds import FEEDS
from service.settings.places import skip_conditions, text_places
from service.wire import Decoder
from tools.feeds.page import examples, read_example

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT_BYTES_MAX = 256 * 1024


def _records(name: str, count: int) -> tuple[list[Record], str]:
    """Messages of the feed that are scored, and the place of the first one's text."""
    scored = []
    for example in examples(name):
        reads = read_example(name, example["message"])
        if {"scored"} == {read.outcome for read in reads}:
            scored.append((example["message"], reads[0].why))
    place = scored[0][1] if scored else ""
    values = [json.dumps(message).encode() for message, why in scored if why == place]
    return [
        Record(Partition("in", 0), n, 0, None, values[n % len(values)], (), 0, 0.0)
        for n in range(count if values else 0)
    ], place


def _took(decoder: Decoder, records: Sequence[Record]) -> float:
    started = time.process_time()
    for record in records:
        [decoded] = decoder.decode(record)
        assert isinstance(decoded, Message), decoded
    return (time.process_time() - started) / len(records) * 1e6


def main() -> None:
    """Measure the feeds that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feed", action="append", choices=list(FEEDS))
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.feed or FEEDS:
        records, place = _records(name, arguments.records)
        if not records:
            sys.stdout.write(f"{name:22} has lists alone\n")
            continue
        plain = Decoder("json", text_places(place), TEXT_BYTES_MAX)
        feed = FEEDS[name]
        whole = Decoder(
            "json",
            text_places(feed.text_field),
            TEXT_BYTES_MAX,
            conditions=skip_conditions(feed.skip),
        )
        rounds = [(_took(plain, records), _took(whole, records)) for _ in range(arguments.rounds)]
        one, two = (statistics.median(column) for column in zip(*rounds, strict=True))
        size = statistics.mean(len(record.value or b"") for record in records)
        sys.stdout.write(
            f"{name:22} {size:6.0f} bytes  {one:6.1f} us with the pointer  {two:6.1f} us with the "
            f"feed  {two / one:.2f}\n"
        )


if __name__ == "__main__":
    main()
