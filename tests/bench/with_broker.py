"""`sentiment-stream bench` with a broker of the machine's own: `make bench`.

    python tests/bench/with_broker.py --full-size --texts tweets.tsv

All arguments go to the command. Not a test: nothing is asserted about time.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.cli import main
from tools.kafka.jar_broker import AS_SHIPPED, start_jar_broker

if __name__ == "__main__":
    with start_jar_broker(java=AS_SHIPPED) as broker:
        main(["bench", "--bootstrap-servers", broker.bootstrap_servers, *sys.argv[1:]])
