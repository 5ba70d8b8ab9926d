"""The examples in `schemas/` end with one line for arguments that no broker needs to be asked for.

Apart from `test_examples`, whose tests need real Kafka.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
# So the line for an argument comes first.
NOBODY = "127.0.0.1:1"
ADDRESS = (
    "is no address of brokers; give --brokers or SENTIMENT_KAFKA__BOOTSTRAP_SERVERS like "
    "localhost:9092"
)
NAME = "is no name of a topic; give letters, digits, . _ -"


@pytest.mark.parametrize(
    ("example", "arguments", "line"),
    [
        ("consume.py", ["--brokers", "localhost:abc"], f"'localhost:abc' {ADDRESS}"),
        ("consume.py", ["--brokers", f"{NOBODY},localhost"], f"'{NOBODY},localhost' {ADDRESS}"),
        ("consume.py", ["--brokers", ""], f"'' {ADDRESS}"),
        ("consume.py", ["--events", ""], f"--events '' {NAME}"),
        ("consume.py", ["--dead-letters", "bad topic!"], f"--dead-letters 'bad topic!' {NAME}"),
        ("consume.py", ["--group", ""], "--group is empty; give the name of a group"),
        ("produce.py", ["good", "--brokers", "localhost:abc"], f"'localhost:abc' {ADDRESS}"),
        ("produce.py", ["good", "--brokers", ""], f"'' {ADDRESS}"),
        ("produce.py", ["good", "--topic", ""], f"--topic '' {NAME}"),
        ("produce.py", ["good", "--topic", "bad topic!"], f"--topic 'bad topic!' {NAME}"),
    ],
)
def test_a_wrong_argument_ends_with_a_line(example: str, arguments: list[str], line: str) -> None:
    """It says what to give, and no trace of the client is beside it."""
    brokers = [] if "--brokers" in arguments else ["--brokers", NOBODY]
    done = subprocess.run(  # noqa: S603 - the tests' own words
        [sys.executable, str(EXAMPLES / example), *arguments, *brokers],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (1, "", f"{line}\n") == (done.returncode, done.stdout, done.stderr)
