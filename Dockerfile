# syntax is plain on purpose: no front end has to be fetched to build this.
#
#   docker build --target cpu .    the packed ONNX engine and the bundled model, no torch
#   docker build --target gpu .    torch beside it, for GPUs and for checkpoints of any kind
#
# BASE may be any Debian with Python 3.11 to 3.13 in its archive; `make image-local` makes one
# where no registry can be reached.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS python
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates libgomp1 libstdc++6 python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt \
        /var/log/dpkg.log
# Of a high number, so that it is nobody on the host; named by number, as Kubernetes checks it.
RUN echo 'sentiment:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'sentiment:x:65532:' >> /etc/group

FROM python AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv \
    && python3 -m venv /uv
WORKDIR /source
COPY requirements.txt requirements-dev.txt ./
# uv by its hash; it takes the hashes of all else from the lock files.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements-dev.txt > /uv/requirements.txt \
    && /uv/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r /uv/requirements.txt
ENV UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN python3 -m venv --without-pip /opt/sentiment \
    && /uv/bin/uv pip install --python /opt/sentiment/bin/python --require-hashes \
        -r requirements.txt
COPY pyproject.toml LICENSE README.md ./
COPY sentiment_stream sentiment_stream
COPY service service
RUN /uv/bin/uv pip install --python /opt/sentiment/bin/python --no-deps --no-build-isolation . \
    && /uv/bin/uv pip uninstall --python /opt/sentiment/bin/python setuptools

# What is inside, by name, version and hash, for whoever must know: CycloneDX.
FROM build AS sbom
RUN python3 -m venv --without-pip /sbom \
    && /uv/bin/uv pip install --python /sbom/bin/python --constraint requirements-dev.txt \
        cyclonedx-bom
RUN /sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
        --output-file /sbom.cdx.json /opt/sentiment/bin/python

FROM python AS service
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sentiment-stream" \
    org.opencontainers.image.description="Scores the sentiment of text on Kafka topics." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# Nothing is written at run time: bytecode was compiled by the build.
ENV PATH=/opt/sentiment/bin:${PATH} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
# Docker's own check; Kubernetes asks the same paths itself.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["sentiment-stream", "health"]
# As process 1 it gets the signals itself, and starts no processes that it would have to reap.
ENTRYPOINT ["sentiment-stream"]
CMD ["run"]

FROM service AS cpu
COPY --from=build /opt/sentiment /opt/sentiment
COPY --from=sbom /sbom.cdx.json /usr/share/sbom/sentiment-stream.cdx.json

FROM build AS build-gpu
RUN /uv/bin/uv pip install --python /opt/sentiment/bin/python --constraint requirements-dev.txt \
        huggingface-hub torch transformers

FROM build-gpu AS sbom-gpu
COPY --from=sbom /sbom /sbom
RUN /sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
        --output-file /sbom.cdx.json /opt/sentiment/bin/python

FROM service AS gpu
COPY --from=build-gpu /opt/sentiment /opt/sentiment
COPY --from=sbom-gpu /sbom.cdx.json /usr/share/sbom/sentiment-stream.cdx.json

# What `docker build` makes without a target.
FROM cpu
