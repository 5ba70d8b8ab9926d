"""The AsyncAPI document of the service's topics, generated from `contracts` and `headers`.

Exists so that consumers and producers can generate code and pages from one file,
`schemas/asyncapi.json`. Operations are the service's: it receives messages, and sends events and
dead letters. Topics and group are the settings' defaults.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from service.settings import KafkaSettings
from service.wire.contracts import SCHEMA_VERSION, SentimentEvent, SourceMessage
from service.wire.headers import EventHeaders, LetterHeaders, MessageHeaders
from service.wire.letters import DeadLetter
from service.wire.typed.json_schema import plain

ASYNCAPI_VERSION: Final = "3.0.0"
KAFKA_BINDING_VERSION: Final = "0.5.0"

_JSON = "application/json"
_KEY = {
    "title": "Key",
    "type": ["string", "null"],
    "description": "Any bytes; an event and a dead letter have the key of their message.",
}


def asyncapi() -> dict[str, Any]:
    """The document; it refers to no other file."""
    kafka = KafkaSettings()
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": "urn:sentiment-stream",
        "info": {
            "title": "sentiment-stream",
            "version": SCHEMA_VERSION,
            "description": "Scores the sentiment of messages on Kafka. Each message gives an event "
            "or a dead letter; README.md beside this file says in which order, and how often.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "servers": {
            "kafka": {
                "host": kafka.bootstrap_servers,
                "protocol": "kafka",
                "description": "SENTIMENT_KAFKA__BOOTSTRAP_SERVERS; read events with "
                "isolation.level=read_committed, so that aborted ones are left out.",
            }
        },
        "channels": {
            "messages": _channel(
                kafka.input_topic, "INPUT_TOPIC", "SourceMessage", "BareText", "CloudEvent"
            ),
            "events": _channel(kafka.output_topic, "OUTPUT_TOPIC", "SentimentEvent"),
            "deadLetters": _channel(kafka.dead_letter_topic, "DEAD_LETTER_TOPIC", "DeadLetter"),
        },
        "operations": {
            "scoreMessages": _operation("receive", "messages", kafka.group_id),
            "publishEvents": _operation("send", "events"),
            "publishDeadLetters": _operation("send", "deadLetters"),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _schemas() -> dict[str, Any]:
    _, schemas = models_json_schema(
        [
            (SourceMessage, "validation"),
            (SentimentEvent, "serialization"),
            (DeadLetter, "validation"),
            (MessageHeaders, "validation"),
            (EventHeaders, "validation"),
            (LetterHeaders, "validation"),
        ],
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Any] = plain(schemas["$defs"])
    # Named, so that generators of code need not make up names for them.
    text = definitions["SourceMessage"]["properties"]["text"]
    return definitions | {
        "BareText": {**text, "title": "BareText"},
        "CloudEvent": {
            "title": "CloudEvent",
            "type": "object",
            "required": ["data"],
            "properties": {"data": _ref("SourceMessage")},
        },
        "DeadLetterValue": {"title": "DeadLetterValue", "description": "The value of the message."},
        "DeadLetterHeaders": {
            "title": "DeadLetterHeaders",
            "allOf": [_ref("DeadLetter"), _ref("LetterHeaders")],
        },
    }


def _messages() -> dict[str, Any]:
    source, event = SourceMessage.model_config, SentimentEvent.model_config
    [*_, whole] = _examples(source)
    return {
        "SourceMessage": _message(
            "A message as a JSON object; also the data of a CloudEvent in binary mode.",
            _ref("SourceMessage"),
            _ref("MessageHeaders"),
            [{"payload": payload} for payload in _examples(source)],
        ),
        "BareText": _message(
            "A message that is plain text, by its content-type or by the settings.",
            _ref("BareText"),
            _ref("MessageHeaders"),
            [{"headers": {"content-type": "text/plain"}, "payload": whole["text"]}],
            "text/plain",
        ),
        "CloudEvent": _message(
            "A message as a CloudEvent in structured mode.",
            _ref("CloudEvent"),
            _ref("MessageHeaders"),
            [
                {
                    "headers": {"content-type": "application/cloudevents+json"},
                    "payload": {
                        "specversion": "1.0",
                        "id": "post-4711",
                        "source": "https://example.com/posts",
                        "type": "com.example.post",
                        "data": {"text": whole["text"]},
                    },
                }
            ],
            "application/cloudevents+json",
        ),
        "SentimentEvent": _message(
            "The model's result for a message.",
            _ref("SentimentEvent"),
            _ref("EventHeaders"),
            [
                {"headers": headers, "payload": payload}
                for headers, payload in zip(
                    _examples(EventHeaders.model_config), _examples(event), strict=True
                )
            ],
        ),
        "DeadLetter": _message(
            "A message that could not be scored, byte for byte; its headers say why.",
            _ref("DeadLetterValue"),
            _ref("DeadLetterHeaders"),
            [
                {"headers": headers, "payload": {"id": "post-4712"}}
                for headers in _examples(DeadLetter.model_config)
            ],
            "application/octet-stream",
        ),
    }


def _message(
    summary: str,
    payload: dict[str, Any],
    headers: dict[str, Any],
    examples: list[dict[str, Any]],
    content_type: str = _JSON,
) -> dict[str, Any]:
    return {
        "summary": summary,
        "contentType": content_type,
        "headers": headers,
        "payload": payload,
        "bindings": _binding(key=_KEY),
        "examples": examples,
    }


def _channel(topic: str, setting: str, *messages: str) -> dict[str, Any]:
    return {
        "address": topic,
        "description": f"SENTIMENT_KAFKA__{setting}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": _binding(topic=topic),
    }


def _operation(action: str, channel: str, group_id: str | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
    }
    if group_id is not None:
        operation["bindings"] = _binding(groupId={"type": "string", "default": group_id})
    return operation


def _binding(**content: Any) -> dict[str, Any]:
    return {"kafka": {**content, "bindingVersion": KAFKA_BINDING_VERSION}}


def _ref(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _examples(config: Any) -> list[Any]:
    examples: list[Any] = config["json_schema_extra"]["examples"]
    return examples
