"""Orders from the harness to a service process, and what the process says it has done.

Both ends are here, so that they agree; nothing but files lies between them, since a process that is
killed or stopped answers nothing else. An order waits for a named point and is carried out once.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER_VARIABLE = "CHAOS_ORDERS"
SABOTAGE_VARIABLE = "CHAOS_SABOTAGE"
ENGINE_VARIABLE = "CHAOS_ENGINE"
# A transaction timeout in ms that the settings would refuse.
TRANSACTION_VARIABLE = "CHAOS_TRANSACTION_MS"

Point = Literal[
    "after poll",
    "in inference",
    "before the transaction",
    "after send",
    "after offsets",
    "before the end",
    "after the end",
]
# Without transactions there is no begin and no end: sends, then offsets.
POINTS_AT_LEAST_ONCE: tuple[Point, ...] = (
    "after poll",
    "in inference",
    "after send",
    "after offsets",
)
POINTS: tuple[Point, ...] = (
    *POINTS_AT_LEAST_ONCE,
    "before the transaction",
    "before the end",
    "after the end",
)
# What a process records of a transaction that was held up after its offsets, and then committed.
HELD_AND_COMMITTED = "held and committed"
Deed = Literal["kill", "stop", "fail", "raise", "hang", "slow"]


@dataclass(frozen=True)
class Order:
    """What to do at the point when it is passed after `skip` other times."""

    point: Point
    deed: Deed
    skip: int = 0
    seconds: float = 0.0


class Orders:
    """The folder of one replica; outlives its processes."""

    def __init__(self, folder: Path) -> None:
        """Take an existing folder."""
        self._order = folder / "order.json"
        self._id = folder / "transactional-id"
        self._effects = folder / "effects.jsonl"
        self._passed = 0

    @classmethod
    def of_this_process(cls) -> Orders:
        """The orders for the process that asks."""
        return cls(Path(os.environ[FOLDER_VARIABLE]))

    def give(self, order: Order) -> None:
        """Give an order, in place of one that was not carried out."""
        partial = self._order.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(order)))
        partial.rename(self._order)

    def withdraw(self) -> None:
        """Take back what was not carried out."""
        self._order.unlink(missing_ok=True)

    def take(self, point: Point) -> Order | None:
        """The order that is to be carried out here and now; it is gone, and on record."""
        try:
            order = Order(**json.loads(self._order.read_bytes()))
        except FileNotFoundError:
            self._passed = 0
            return None
        if order.point != point:
            return None
        self._passed += 1
        if self._passed <= order.skip:
            return None
        self._passed = 0
        self.withdraw()
        self.record(f"{order.deed} {order.point}")
        return order

    def record(self, what: str) -> None:
        """Write down, beyond the death of this process, that something happened."""
        with self._effects.open("a") as file:
            line = {"what": what, "pid": os.getpid(), "at": time.time()}
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def publish_as(self, transactional_id: str) -> None:
        """Say which transactional id this process publishes with from here on."""
        self._id.write_text(transactional_id)

    def transactional_id(self) -> str:
        """The last id that was said.

        Raises:
            FileNotFoundError: none was.
        """
        return self._id.read_text()

    def effects(self) -> list[dict[str, Any]]:
        """All that was recorded."""
        try:
            return [json.loads(line) for line in self._effects.read_text().splitlines()]
        except FileNotFoundError:
            return []
