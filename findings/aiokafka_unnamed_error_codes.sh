#!/usr/bin/env bash
# aiokafka 0.14.0 has no name for most of Kafka's error codes above 72 (it has 79): a broker that refuses a record
# without a key on a compacted topic answers INVALID_RECORD (87, since Kafka 2.4) with a sentence that
# says why, and the client's user sees `UnknownError`, which cannot be told from a broker's own
# "unexpected server error" (-1). PRODUCER_FENCED (90) and THROTTLING_QUOTA_EXCEEDED (89) alike.
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiokafka==0.14.0 confluent-kafka==2.12.2
"$folder/venv/bin/python" - <<'PYTHON'
from aiokafka import errors
from confluent_kafka import KafkaError

named = {}
for code in (81, 87, 89, 90):
    ours, librdkafka = errors.for_code(code), KafkaError(code).name()
    print(code, librdkafka, "->", ours.__name__, ours.errno, ours.retriable)
    named[code] = ours.__name__
assert {named[c] for c in (87, 89, 90)} == {"UnknownError"}, named
assert errors.for_code(-1).__name__ == "UnknownError"
print("as seen: codes that brokers send since 2019 are one class with -1, and not retriable or named")
PYTHON
