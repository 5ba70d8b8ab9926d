"""The demo's broker by itself, to try things on: `make broker`.

Exists for who wants to see the service on topics of their own before there is a Kafka. In memory
only; topics come into being when they are used.
"""

from __future__ import annotations

import signal
import sys

from service.demo.broker import demo_broker


def main() -> None:
    """Run a broker until SIGINT or SIGTERM; say in lines for a shell how to use it."""
    awaited = {signal.SIGINT, signal.SIGTERM}
    # Before the client starts its threads, which inherit it: the signal is for `sigwait` alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    with demo_broker() as bootstrap_servers:
        sys.stdout.write(f"export SENTIMENT_KAFKA__BOOTSTRAP_SERVERS={bootstrap_servers}\n")
        # The end of a transaction has no checksum here, which strict readers take for damage.
        sys.stdout.write("export SENTIMENT_DELIVERY__MODE=at_least_once\n")
        sys.stdout.flush()
        signal.sigwait(awaited)


if __name__ == "__main__":
    main()
