"""What a feed costs in decoding: `PYTHONPATH=tests:. python tests/bench/feeds.py --feed slack`.

Decodes the same messages with the pointer to their text alone and with all that the feed stands
for, in many short turns, so that both see the same load of the machine. Prints microseconds of
processor time a message and the ratio of the medians; asserts nothing. With `--before` another
tree's decoder takes turns with this one's in the same process, and the feed is compared with the
pointer alone of then.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from service.records import Partition, Record
from service.settings.feeds import FEEDS
from tools.feeds.page import examples, read_example

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT_BYTES_MAX = 256 * 1024


class Tree(NamedTuple):
    """What of a tree is measured."""

    wire: Any
    places: Any
    records: Any

    def decoder(self, text_field: str, skip: str = "") -> Any:
        """A decoder of this tree."""
        return self.wire.Decoder(
            "json",
            self.places.text_places(text_field),
            TEXT_BYTES_MAX,
            conditions=self.places.skip_conditions(skip),
        )


def tree() -> Tree:
    """The modules of `service` that are found now."""
    names = ("wire", "settings.places", "records")
    return Tree(*(importlib.import_module(f"service.{name}") for name in names))


def tree_at(path: Path) -> Tree:
    """As `tree`, of another folder; this one's modules stay as they are."""
    ours = {n: m for n, m in sys.modules.items() if n == "service" or n.startswith("service.")}
    for name in ours:
        del sys.modules[name]
    sys.path.insert(0, str(path))
    try:
        return tree()
    finally:
        sys.path.remove(str(path))
        for name in [n for n in sys.modules if n == "service" or n.startswith("service.")]:
            del sys.modules[name]
        sys.modules.update(ours)


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


def _took(of: Tree, decoder: Any, records: Sequence[Record]) -> float:
    scored = of.records.Message
    started = time.process_time()
    for record in records:
        [decoded] = decoder.decode(record)
        assert type(decoded) is scored, decoded
    return (time.process_time() - started) / len(records) * 1e6


def main() -> None:
    """Measure the feeds that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feed", action="append", choices=list(FEEDS))
    parser.add_argument("--records", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=81)
    parser.add_argument("--before", type=Path, help="the folder of another tree")
    arguments = parser.parse_args()
    now = tree()
    trees = [now] if arguments.before is None else [now, tree_at(arguments.before.resolve())]
    for name in arguments.feed or FEEDS:
        records, place = _records(name, arguments.records)
        if not records:
            sys.stdout.write(f"{name:22} has lists alone\n")
            continue
        feed = FEEDS[name]
        pairs = [(of, of.decoder(place)) for of in trees]
        pairs.insert(1, (now, now.decoder(feed.text_field, feed.skip)))
        rounds = [[_took(*pair, records) for pair in pairs] for _ in range(arguments.rounds)]
        one, two, *before = (statistics.median(column) for column in zip(*rounds, strict=True))
        size = statistics.mean(len(record.value or b"") for record in records)
        sys.stdout.write(
            f"{name:22} {size:6.0f} bytes  {one:6.1f} us with the pointer  {two:6.1f} us with the "
            f"feed  {two / one:.2f}"
        )
        for then in before:
            sys.stdout.write(
                f"   before: {then:6.1f} us with the pointer, now {one / then:.2f} of that, and "
                f"{two / then:.2f} with the feed"
            )
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
