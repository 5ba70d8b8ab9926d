"""sentiment-stream: scores the sentiment of text on Kafka topics."""
