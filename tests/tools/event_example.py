"""The example of an event, as the bundled model makes it: `python tests/tools/event_example.py`.

Exists so that new weights need no example by hand: writes into `service/wire/contracts.py` and
`schemas/README.md` what the model says of the example of a message; `make schemas` does the rest.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from service.records import Document, Message, Partition, Record, Verdict
from service.scoring.texts import load_model, score_texts
from service.settings import Settings
from service.settings.places import text_places
from service.wire import Decoder, Encoder
from service.wire.contracts import SentimentEvent, SourceMessage

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS, PAGE = ROOT / "service" / "wire" / "contracts.py", ROOT / "schemas" / "README.md"
PARTITION, OFFSET, TIMESTAMP_MS = Partition("sentiment.messages", 3), 1041, 1777887000000


def written() -> dict[str, Any]:
    """The example as it stands in the contract."""
    [example] = SentimentEvent.model_json_schema()["examples"]
    event: dict[str, Any] = example
    return event


def made() -> dict[str, Any]:
    """The event of the contract's second example of a message, by the bundled model."""
    sent = SourceMessage.model_json_schema()["examples"][1]
    value = json.dumps(sent).encode()
    record = Record(PARTITION, OFFSET, TIMESTAMP_MS, b"post-4711", value, (), 0, 10.0)
    [message] = Decoder("json", text_places("/text"), 1000).decode(record)
    assert isinstance(message, Message)
    model = load_model(Settings().model)
    [reading] = score_texts([message.text], model)
    [(windows, stats)] = model.encoder.encode([message.text])
    document = Document(message, windows, stats, sent["lang"])
    verdict = Verdict(document, reading)
    encoder = Encoder("o", "d", True, model.engine.info, "0")
    outgoing = encoder.encode(verdict, TIMESTAMP_MS / 1000 + 0.093, 10.0184)
    event: dict[str, Any] = json.loads(outgoing.value or b"")
    return event


def main() -> None:
    """Put the model's part of the event in place of the old one, in both files."""
    event = made()
    names = ("label", "score", "scores", "confident", "language", "model", "text_stats")
    lines = "".join(f'"{name}": {event[name]!r},\n' for name in names)
    whole = json.dumps(event, indent=2, ensure_ascii=False)
    for file, pattern, new in (
        (CONTRACTS, r'(?<="extra": \{\},\n)( +"text": [^\n]*\n).*?(?="origin": \{)', rf"\1{lines}"),
        (PAGE, r"(?<=becomes\n\n```json\n).*?(?=\n```)", whole.replace("\\", r"\\")),
    ):
        text, count = re.subn(pattern, new, file.read_text(), count=1, flags=re.DOTALL)
        if count != 1:
            sys.exit(f"{file}: there is no example to replace; put it back")
        file.write_text(text)
    formatter = [sys.executable, "-m", "ruff", "format", "--quiet", str(CONTRACTS)]
    subprocess.run(formatter, check=True)  # noqa: S603 - a fixed command, no shell
    sys.stdout.write(f"{event['label']} {event['score']}: run make schemas\n")


if __name__ == "__main__":
    main()
