"""The demo's broker without the demo, to try things on: `make broker`.

Exists for people who want to see the service on their own topics before they have a Kafka. It keeps
everything in memory, and creates a topic when it is first used.
"""

from __future__ import annotations

import signal
import sys

from service.demo.broker import demo_broker


def main() -> None:
    """Run a broker until SIGINT or SIGTERM; print shell commands that make the service use it."""
    awaited = {signal.SIGINT, signal.SIGTERM}
    # Blocked before the client starts its threads, which inherit this: only `sigwait` gets it.
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    with demo_broker() as bootstrap_servers:
        sys.stdout.write(f"export SENTIMENT_KAFKA__BOOTSTRAP_SERVERS={bootstrap_servers}\n")
        # This broker does not refuse the commit of a member that has lost its partitions.
        sys.stdout.write("export SENTIMENT_DELIVERY__MODE=at_least_once\n")
        sys.stdout.write("# delivered: at least once; with Kafka, exactly once\n")
        sys.stdout.flush()
        signal.sigwait(awaited)


if __name__ == "__main__":
    main()
