"""sentiment-stream: scores the sentiment of text on Kafka topics."""

import os

# ONNX Runtime (from 1.29 on) sends its maker telemetry of every model that it loads. It reads this
# when it is imported, so it stands before any import of it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
