#!/usr/bin/env bash
# Apache Kafka 4.1.0 (Java 17 or newer, Maven): a `producer_byte_rate` that is set or lowered while a
# client publishes much has the broker answer the next small record with a throttle time of minutes
# (the rate of the last 11 s in relation to the quota, times these 11 s: 3 MB and a quota of 5 kB/s
# make some ten minutes), although that rate has passed after 11 s. It reads nothing more from that
# connection until then, also once the quota is removed; a new connection of the same client id is
# served at once. And a broker that has never had a quota measures nothing: the same burst before
# the first quota of its life counts as nothing. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${broker:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet confluent-kafka==2.12.2
cat >"$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>finding</groupId><artifactId>broker</artifactId>
  <version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.0</version>
  </dependency></dependencies>
</project>
XML
mvn -q -B -f "$folder/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  "-DoutputDirectory=$folder/jars"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$folder/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$folder/data
offsets.topic.replication.factor=1
PROPERTIES
java -cp "$folder/jars/*" kafka.tools.StorageTool format -t finding0000000000000AA -c "$folder/server.properties" >/dev/null 2>&1
java -cp "$folder/jars/*" kafka.Kafka "$folder/server.properties" >"$folder/log" 2>&1 &
broker=$!
export PORT=$port JARS="$folder/jars/*"
"$folder/venv/bin/python" -u - <<'PYTHON'
import os
import subprocess
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

BROKER = f"127.0.0.1:{os.environ['PORT']}"
for _ in range(60):
    try:
        AdminClient({"bootstrap.servers": BROKER, "log_level": 0}).list_topics(timeout=2)
        break
    except Exception:
        time.sleep(1)


def quota(client, *change):
    subprocess.run(
        ["java", "-cp", os.environ["JARS"], "kafka.admin.ConfigCommand", "--bootstrap-server", BROKER,
         "--alter", *change, "--entity-type", "clients", "--entity-name", client],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def producer(client):
    told = []
    return told, Producer({
        "bootstrap.servers": BROKER, "client.id": client, "linger.ms": 0, "log_level": 0,
        "throttle_cb": lambda event: told.append(event.throttle_time),
    })  # fmt: skip


def send(one, count, size):
    for _ in range(count):
        one.produce("topic", b"x" * size)
    return one.flush(10)


told, one = producer("first")
send(one, 1, 10)
send(one, 100, 30_000)
quota("first", "--add-config", "producer_byte_rate=5000")
send(one, 1, 10)
one.poll(1)
print("a burst before the first quota: throttled for", told, "s")
assert not told, told

quota("second", "--add-config", "producer_byte_rate=1000000000")
told, one = producer("second")
send(one, 100, 30_000)
quota("second", "--add-config", "producer_byte_rate=5000")
send(one, 1, 10)
one.poll(1)
print("a burst, and 5,000 bytes/s set behind it: one record of 10 bytes throttled for", told, "s")
assert told and max(told) > 120, told

quota("second", "--delete-config", "producer_byte_rate")
began = time.monotonic()
left = send(one, 1, 10)
print("the quota is removed: not sent in 10 s over that connection:", left)
assert left == 1
_, other = producer("second")
assert send(other, 1, 10) == 0
print("sent over a new one")
one.purge()
print("as seen")
PYTHON
