"""The broker that `make broker` runs."""

from __future__ import annotations

import signal
import subprocess
import sys

from confluent_kafka.admin import AdminClient


def test_a_broker_to_try_things_on() -> None:
    """It says how to use it in lines that a shell takes, answers there, and ends when asked to."""
    with subprocess.Popen(
        [sys.executable, "-m", "service.demo.alone"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            name, _, address = process.stdout.readline().strip().partition("=")
            assert "export SENTIMENT_KAFKA__BOOTSTRAP_SERVERS" == name
            mode = process.stdout.readline().strip()
            assert "export SENTIMENT_DELIVERY__MODE=at_least_once" == mode
            assert process.stdout.readline().startswith("# delivered: at least once")
            assert AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).brokers
        finally:
            process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(30)
