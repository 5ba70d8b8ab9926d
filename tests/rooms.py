"""The rooms of `service/`: which may import which, in what order their files are read.

Exists so that a new arrow is argued for in one place; `test_arrows.py` holds the code to it. Values
only.
"""

from __future__ import annotations

# What each room, which is a folder or a module at the top, needs to run; in an order in which they
# can be read. Whoever wants another arrow argues for it here.
ARROWS: dict[str, set[str]] = {
    "__init__": set(),
    "errors": set(),
    "records": set(),
    "processor": set(),
    "terminal": set(),
    "sequences": set(),
    "text.normalise": set(),
    "text.markup": set(),
    "lab.teaching.templates": set(),
    "model": set(),
    "web.page": set(),
    "settings": {"errors", "records"},
    "progress": set(),
    "wire.documents": {"records"},
    "wire": {"records", "wire.documents"},
    "checkpoint": {"errors", "processor", "records", "settings"},
    "kafka.client": {"errors", "records", "settings"},
    "kafka.older": set(),
    "kafka.consumer": {"kafka.client"},
    "kafka.transactions": {"errors", "kafka.client"},
    "kafka": {
        "errors", "kafka.client", "kafka.consumer", "kafka.older", "kafka.transactions", "progress",
        "records",
    },
    "ports": set(),
    "text": {"errors", "records", "sequences", "text.markup", "text.normalise"},
    "wire.typed": {"wire"},
    "registry": {"errors", "records", "settings", "wire.documents", "wire.typed"},
    "kafka.once": {"errors", "kafka", "kafka.client", "progress", "records"},
    "kafka.backfill": {"errors", "kafka", "kafka.client", "progress", "records"},
    "engines.graph": {"checkpoint"},
    "engines": {"checkpoint", "engines.graph", "errors", "processor"},
    "observe": {"errors", "records", "terminal"},
    "retry": set(),
    "scoring": {
        "checkpoint", "engines", "errors", "records", "sequences", "settings", "text",
        "text.markup",
    },
    "tables": {"errors", "records", "settings", "wire.documents"},
    "stream": {"errors", "progress", "records", "retry", "sequences"},
    "lab.data": {"errors", "scoring", "tables", "wire.documents"},
    "topics": {
        "errors", "kafka.once", "records", "registry", "scoring", "terminal", "wire",
        "wire.documents",
    },
    "web": {"errors", "observe", "sequences", "scoring"},
    "assembly": {
        "checkpoint", "engines", "kafka", "kafka.backfill", "observe", "registry", "scoring",
        "settings", "stream", "text", "web", "wire",
    },
    "lab.measuring": {"checkpoint", "errors", "lab.data", "scoring", "terminal"},
    "reference": {"errors", "observe", "records", "settings", "web", "wire", "wire.typed"},
    "app": {"assembly", "errors", "observe", "registry", "retry", "settings"},
    "lab": {
        "checkpoint", "engines", "errors", "processor", "records", "scoring",
        "sequences", "settings", "tables", "terminal", "text", "text.markup", "wire",
        "wire.documents",
    },
    "lab.bias": {"errors", "lab.data", "scoring", "terminal"},
    "bench.peers": {"checkpoint", "engines", "errors"},
    "bench": {
        "app", "assembly", "bench.peers", "checkpoint", "engines", "engines.graph", "errors",
        "lab.data", "observe", "processor", "records", "settings", "terminal", "text",
    },
    "demo": {"app", "errors", "observe", "records", "settings", "terminal", "wire"},
    "lab.behaviour": {"lab.bias", "lab.data", "scoring", "terminal"},
    "lab.teaching": {"errors", "lab.data", "lab.teaching.templates", "text.normalise"},
    "lab.training": {
        "checkpoint", "engines", "engines.graph", "errors", "lab.bias", "lab.measuring",
        "lab.teaching", "observe", "scoring", "settings", "terminal", "text",
    },
    "cli": {
        "app", "bench", "checkpoint", "demo", "errors", "kafka.backfill", "kafka.client",
        "kafka.once", "lab",
        "lab.behaviour", "lab.bias", "lab.data", "lab.measuring", "lab.teaching", "lab.training",
        "observe", "records", "reference", "registry", "scoring", "settings", "tables",
        "terminal", "topics",
    },
    "__main__": {"cli"},
}  # fmt: skip

# What a room names in annotations only.
TYPE_ARROWS: dict[str, set[str]] = {
    "processor": {"records"},
    "progress": {"records"},
    "ports": {"progress", "records"},
    "text": {"wire"},
    "text.markup": {"records"},
    "wire.documents": {"settings"},
    "wire": {"settings"},
    "kafka.older": {"records"},
    "kafka": {"settings"},
    "kafka.once": {"settings"},
    "kafka.backfill": {"settings"},
    "engines": {"checkpoint", "ports", "records", "settings"},
    "observe": {"checkpoint", "ports", "progress", "settings"},
    "retry": {"errors", "observe", "ports"},
    "scoring": {"ports"},
    "stream": {"observe", "ports", "wire"},
    "topics": {"settings"},
    "web": {"records", "settings"},
    "assembly": {"records"},
    "lab.measuring": {"settings"},
    "app": {"kafka.backfill", "records", "stream"},
    "lab.bias": {"settings"},
    "lab.teaching": {"lab.bias"},
    "lab.training": {"lab.data", "ports"},
    "bench.peers": {"text"},
}  # fmt: skip

# The files of each folder, in an order in which they can be read: each imports earlier ones alone.
FILES: dict[str, str] = {
    "text.normalise": "social ratings formulas addresses meanings __init__",
    "text.markup": "lines hypertext chat markdown phrases quotes signatures mail __init__",
    "lab.teaching.templates": "__init__ words answers complaints denials endings "
    "irony neutral phrases praise reports turns",
    "settings": "fields mounted places carry feeds kafka registry security groups __init__",
    "wire": "headers contracts letters cloudevents kept_headers carried messages "
    "decode encode __init__",
    "wire.documents": "__init__ json_values formats forms pointers shapes looks glance",
    "wire.typed": "json_schema columns __init__",
    "registry": "framing documents avro proto_text protobuf access client schemas events __init__ "
    "check",
    "checkpoint": "__init__ calibration hub files stored tokenizer tuning",
    "kafka.client": "__init__ error_codes offset_requests logins connection decompress batches "
    "record metadata throttling background generations",
    "kafka.older": "requests __init__",
    "kafka.consumer": "__init__ fetcher static",
    "kafka.transactions": "__init__ requests version_two",
    "kafka": "smaller history identities committed log_ends starts "
    "fetching producer delivery session __init__",
    "text": "__init__ windows language encoder prepare",
    "kafka.once": "__init__ reader letters outputs cluster",
    "kafka.backfill": "span session __init__",
    "engines.graph": "__init__ onnx_file quantized growing",
    "engines": "layout cpu_limit finite lanes padding packing "
    "torch_device onnx_graph torch_packed torch_plain onnx_packed __init__",
    "observe": "__init__ drift feed health logs tracing metrics backfill monitor",
    "scoring": "__init__ joining keywords repeats readings turns poles batch processing inference "
    "texts",
    "stream": "__init__ cost breaker foreign sharing batcher drain counts handover few_first "
    "until_end pipeline",
    "lab.data": "__init__ files glue texts domains labelled tabled truth",
    "tables": "__init__ rows sources ahead delimited json_rows parquet_rows reading writing "
    "parquet_writing",
    "topics": "__init__ comparison framed compare replay",
    "web": "__init__ bodies countries docs_page score_contracts "
    "live server explain openapi score_api",
    "lab.measuring": "__init__ reliability thresholds plots evaluate",
    "reference": "__init__ asyncapi settings_page schemas",
    "lab": "__init__ export feed lines figures score scored_file tune",
    "lab.bias": "__init__ templates rows world_map data report run",
    "bench.peers": "search loading __init__",
    "bench": "__init__ bare full_size limits null engines stream whole report tables",
    "demo": "generator broker board alone view __init__",
    "lab.behaviour": "__init__ changes texts meanings feedback cases run",
    "lab.teaching": "__init__ around swaps sources recipe "
    "people lessons counterfactual mixture_three mixture",
    "lab.training": "__init__ base_model batches card teachers "
    "state losses rounded calibrate figures train averaged",
    "cli": "options completion failures config run feeds health lab measuring score "
    "training __init__",
}

# Libraries that are heavy, or that stand for something outside, and the rooms that know them.
LIBRARIES: dict[str, set[str]] = {
    "aiohttp": {"registry", "web"},
    "aiokafka": {
        "kafka",
        "kafka.client",
        "kafka.consumer",
        "kafka.older",
        "kafka.transactions",
        "kafka.once",
        "kafka.backfill",
        "bench",
        "demo",
    },
    "click": {"cli"},
    "confluent_kafka": {"bench", "demo"},
    "antlr4": {"registry"},
    "ctranslate2": {"bench.peers"},
    "cramjam": {"kafka.client"},
    "fastavro": {"registry"},
    "google": {"registry"},
    "nncf": {"bench.peers"},
    "onnx": {"bench.peers"},
    "onnxruntime": {"bench", "bench.peers", "engines", "lab"},
    "opentelemetry": {"observe"},
    "openvino": {"bench.peers"},
    "proto_schema_parser": {"registry"},
    "pyarrow": {"tables"},
    "sklearn": {"lab.measuring"},
    "torch": {"bench", "bench.peers", "engines", "lab.training"},
    "transformers": {"bench", "bench.peers", "checkpoint", "engines", "lab.training"},
}
# And the files that know them, where the rest of their room must do without.
LIBRARY_FILES: dict[str, set[str]] = {
    "aiohttp": {"bodies", "client", "live", "score_api", "server"},
    "opentelemetry": {"tracing"},
    "pyarrow": {"parquet_rows", "parquet_writing"},
}
