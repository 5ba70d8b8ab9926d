# Apache Kafka for the image's tests, from the jars that the other tests use (the build's context),
# on the base that the image itself was built on.
ARG BASE
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
COPY . /jars
