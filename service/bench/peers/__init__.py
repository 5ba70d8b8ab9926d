"""Engines of others, each at its best: OpenVINO, CTranslate2 and ONNX Runtime's dynamic int8.

Exists so that the service's engines are measured beside the best that a user can pick. A peer gets
the same tokens, sorted by length over all texts, which no stream could do. The libraries come with
`make bench-peers`. How rates are taken is `engines`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import logging
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING

from service.bench.peers.loading import ctranslate2_peer, onnx_runtime_peer, openvino_peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.bench.peers.search import Peer, Trial


def peers(make_trial: Callable[[], Trial]) -> dict[str, Callable[[], Peer]]:
    """Those that are installed, by name; calling one loads it, searches and checks it.

    Raises:
        ModelError: (by the call) its scores are wrong.
    """
    trial = functools.cache(make_trial)
    torch = ("torch", "transformers")
    ways: dict[str, tuple[Callable[[Trial], Peer], tuple[str, ...]]] = {
        "OpenVINO float32": (partial(openvino_peer, precision="float32"), ("openvino", *torch)),
        "OpenVINO int8 by NNCF": (
            partial(openvino_peer, precision="int8"), ("openvino", "nncf", *torch),
        ),
        "CTranslate2 float32": (
            partial(ctranslate2_peer, precision="float32"), ("ctranslate2", *torch),
        ),
        "CTranslate2 int8": (partial(ctranslate2_peer, precision="int8"), ("ctranslate2", *torch)),
        "ONNX Runtime dynamic int8": (onnx_runtime_peer, ()),
    }  # fmt: skip
    return {
        name: partial(_quiet, load, trial)
        for name, (load, needed) in ways.items()
        if all(importlib.util.find_spec(library) is not None for library in needed)
    }


def _quiet(load: Callable[[Trial], Peer], trial: Callable[[], Trial]) -> Peer:
    """Without the progress and the warnings that libraries print, and their telemetry."""
    # OpenVINO and NNCF send events to their maker, and none if this cannot be imported.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # that is how it is said
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return load(trial())
    finally:
        logging.disable(logging.NOTSET)
