"""The container image, held against a real Kafka in containers: `make image-test`."""
