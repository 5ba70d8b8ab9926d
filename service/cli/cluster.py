"""`sentiment-stream run --check-cluster`: a line for each thing that the brokers may refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from service.errors import ExitCode
from service.kafka.once.cluster import check_cluster
from service.terminal import BAD, GOOD, WARN, Table, printable, results

if TYPE_CHECKING:
    from service.settings import Settings

_WORDS = {True: ("ok", GOOD), False: ("failed", BAD), None: ("unknown", WARN)}


async def print_checks(settings: Settings) -> ExitCode:
    """Print a line for each check as it ends; FAILED if any has failed.

    Raises:
        ServiceError: the brokers cannot be reached, or refuse the login.
    """
    table, code = Table("", "result", "check", "what was found"), ExitCode.DONE
    async for name, passed, text in check_cluster(settings.kafka, settings.delivery.mode):
        word, style = _WORDS[passed]
        table.add_row(Text(word, style), name, printable(text))
        if passed is False:
            code = ExitCode.FAILED
    results().print(table)
    return code
