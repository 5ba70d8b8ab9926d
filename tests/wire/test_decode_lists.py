"""Decoding: records that are lists of messages; each element stands for itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records import Message, Reason, Rejected, Skipped, SkipReason
from service.wire import event_id
from service.wire.decode import COPIED_BYTES_MAX
from service.wire.messages import ELEMENTS_MAX
from tools.decoding import decoder
from tools.values import record

if TYPE_CHECKING:
    from service.records import Decoded, Headers

ENTRIES = "/entries/*/text"
WHATSAPP = "/entry/*/changes/*/value/messages/*/text/body"
LINES: Headers = (("content-type", b"application/x-ndjson"),)
BATCH: Headers = (("content-type", b"application/cloudevents-batch+json"),)
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}

Told = str | Reason | SkipReason


def _decode(
    value: Any, text_field: str = "/text", headers: Headers = (), skip: str = ""
) -> list[Decoded]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    one = record(value=data, headers=headers)
    return decoder(text_field, skip=skip).decode(one)


def _told(found: list[Decoded]) -> list[Told]:
    return [item.text if isinstance(item, Message) else item.reason for item in found]


@pytest.mark.parametrize(
    ("text_field", "value", "expected"),
    [
        (ENTRIES, {"entries": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        (ENTRIES, {"entries": [{"text": "a"}]}, ["a"]),
        (ENTRIES, {"entries": [{"text": "a"}, {}, 7, {"text": 7}, {"text": "b"}]},
         ["a", Reason.TEXT_MISSING, Reason.TEXT_MISSING, Reason.WRONG_TYPE, "b"]),
        ("/texts/*", {"texts": ["a", " ", "b"]}, ["a", Reason.TEXT_EMPTY, "b"]),
        ("/title+/e/*/text", {"title": "t", "e": [{"text": "a"}, {}]}, ["t\n\na", "t"]),
        ("/e/*/a,/e/*/b", {"e": [{"a": "x", "b": "y"}, {"b": "z"}]}, ["x", "z"]),
        ("/text,/e/*/text", {"e": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        ("/e/*/text,/text", {"e": [{"text": "a"}, {"text": "b"}], "text": "c"}, ["a", "b"]),
        ("/payload/*/text", {"payload": '[{"text": "a"}, {"text": "b"}]'}, ["a", "b"]),
        # Within a string, JSON that not every reader takes: of that element alone.
        ("/e/*/text", [{"e": '[{"text": "a"}]'}, {"e": "[NaN]"}, {"e": '[{"text": "b"}'}],
         ["a", Reason.NOT_FINITE, Reason.TEXT_MISSING]),
        ("/e/1/*/text", {"e": [0, [{"text": "a"}, {"text": "b"}]]}, ["a", "b"]),
        ("/text", [{"text": "a"}, {"text": "b"}], ["a", "b"]),
        ("/text", [{"text": "a"}, "b", [{"text": "c"}]],
         ["a", Reason.WRONG_TYPE, Reason.WRONG_TYPE]),
        ("/text", [], [SkipReason.EMPTY_LIST]),
        ("", ["a", "b", 7], ["a", "b", Reason.WRONG_TYPE]),
        (ENTRIES, [{"entries": [{"text": "a"}, {"text": "b"}]}, {"entries": [{"text": "c"}]}],
         ["a", "b", "c"]),
        (WHATSAPP, {"entry": [
            {"changes": [{"value": {"messages": [{"text": {"body": "a"}}, {"text": {}}]}}]},
            {"changes": [{"value": {"messages": []}}, {"value": {"statuses": [1]}},
                         {"value": {"messages": [{"text": {"body": "b"}}]}}]},
        ]}, ["a", Reason.TEXT_MISSING, SkipReason.EMPTY_LIST, Reason.TEXT_MISSING, "b"]),
    ],
)  # fmt: skip
def test_each_element_stands_for_itself(text_field: str, value: Any, expected: list[Told]) -> None:
    """Its index is its place among all elements; the last one is marked."""
    found = _decode(value, text_field)
    assert expected == _told(found)
    assert [*range(len(expected))] == [item.record.index for item in found]
    assert [False] * (len(expected) - 1) + [True] == [item.record.is_last for item in found]


@pytest.mark.parametrize(
    ("text_field", "value", "expected"),
    [
        (ENTRIES, {"text": "a"}, Reason.TEXT_MISSING),
        (ENTRIES, {"entries": {"0": {"text": "a"}}}, Reason.TEXT_MISSING),
        (ENTRIES, {"entries": "a"}, Reason.TEXT_MISSING),
        (ENTRIES, {"entries": None}, Reason.TEXT_MISSING),
        (ENTRIES, {"entries": []}, SkipReason.EMPTY_LIST),
        (f"{ENTRIES},/text", {"entries": [], "text": "a"}, "a"),
        ("/text,/entries/*/text", {"text": "a", "entries": [{"text": "b"}]}, "a"),
        ("/entries/*/text,/text", {"text": "a"}, "a"),
    ],
)
def test_a_record_without_the_list_is_one_message(
    text_field: str, value: Any, expected: Told
) -> None:
    """Its bytes are kept, and its id is that of a single message."""
    [found] = _decode(value, text_field)
    assert [expected] == _told([found])
    assert record(value=json.dumps(value).encode()) == found.record


def test_an_element_carries_what_is_around_it() -> None:
    """And a record that holds it alone, which gives the same message when it is sent back."""
    value = {"id": 1, "list": {"n": 2, "of": [{"text": "a", "k": 3}, {"text": "b", "k": 4}]}}
    found = _decode(value, "/list/of/*/text")
    fields = [item.fields for item in found if isinstance(item, Message)]
    assert [{"id": 1, "list": {"n": 2, "of": [{"k": k}]}} for k in (3, 4)] == fields
    alone = json.loads(found[1].record.value or b"")
    assert {"id": 1, "list": {"n": 2, "of": [{"text": "b", "k": 4}]}} == alone


def test_ids_of_elements() -> None:
    """Each has its own, which no single message has; those of single messages are as before."""
    assert "165d2a98-a727-5ea4-bd2e-a57d893f6447" == event_id(record(9))
    found = _decode([{"text": "a"}, {"text": "a"}])
    assert 3 == len({event_id(record()), *(event_id(item.record) for item in found)})


@pytest.mark.parametrize("headers", [(), LINES])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n \n"])
def test_json_by_lines(headers: Headers, end: str) -> None:
    """Each line is a message, also one that is broken; its bytes are those of the line."""
    lines = ['{"text": "a"}', '{"text": NaN}', '{"text": "b", "f": 1.0}', "nonsense", '{"n": 1}']
    found = _decode(end.join(lines).encode(), headers=headers)
    assert ["a", Reason.NOT_FINITE, "b", Reason.NOT_JSON, Reason.TEXT_MISSING] == _told(found)
    assert lines == [(item.record.value or b"").decode().strip() for item in found]
    assert [0, 1, 2, 3, 4] == [item.record.index for item in found]


def test_of_a_line_with_an_error_nothing_comes_alone_too() -> None:
    """Sent back, the line would give it again."""
    line = b'{"a":[{"b":[{"text":"good"}]},{"b":"[1, NaN]"},{"b":[{"text":"fine"}]}]}'
    headers = (("content-type", b"application/x-ndjson"),)

    found = decoder("/a/*/b/*/text").decode(record(0, line + b"\n" + line, headers=headers))

    assert [Rejected] * 2 == [type(one) for one in found]
    assert [line] * 2 == [one.record.value for one in found]


def test_lines_that_say_so_may_be_anything() -> None:
    """Broken from the first on, or of another type, or none at all."""
    assert [Reason.NOT_UTF8, "a"] == _told(_decode(b'\xff\n{"text": "a"}', headers=LINES))
    assert ["a", "b", "c"] == _told(_decode(b'["a", "b"]\n"c"', "", LINES))
    assert [SkipReason.EMPTY_LIST] == _told(_decode(b" \n\n", headers=LINES))
    assert ["a"] == _told(_decode(b'\xef\xbb\xbf{"text": "a"}\n', headers=LINES))


@pytest.mark.parametrize(
    "value",
    [b'{"text": "a"} x', b'{"text":\n "a"} {', b'x\n{"text": "a"}', b'{"a": 1}\n[]', b"1\n2"],
)
def test_what_is_no_list_of_lines(value: bytes) -> None:
    """Broken JSON is a dead letter as a whole, with its bytes."""
    [found] = _decode(value)
    assert [Reason.NOT_JSON] == _told([found])
    assert record(value=value) == found.record


@pytest.mark.parametrize("batch", [True, False])
def test_a_batch_of_cloudevents(batch: bool) -> None:
    """Each has the attributes of its own; also without the header, if they look like events."""
    events: list[Any] = [
        ATTRIBUTES | {"data": {"text": "a"}},
        ATTRIBUTES | {"id": "2", "data": "b", "datacontenttype": "text/plain"},
        ATTRIBUTES | {"id": "3", "data": [{"text": "c"}, {"text": "d"}]},
        ATTRIBUTES | {"id": "4", "data_base64": "eyJ0ZXh0IjogImUifQ=="},
        ATTRIBUTES | {"data": []},
        7,
    ]
    found = _decode(events, headers=BATCH if batch else ())
    expected = ["a", "b", "c", "d", "e", SkipReason.EMPTY_LIST, Reason.WRONG_TYPE]
    assert expected == _told(found)
    ids = [item.fields["id"] for item in found if isinstance(item, Message)]
    assert ["1", "2", "3", "3", "4"] == ids
    alone = json.loads(found[3].record.value or b"")
    assert [ATTRIBUTES | {"id": "3", "data": [{"text": "d"}]}] == alone


def test_conditions_look_at_each_element() -> None:
    """With a star at the element in question, without one at what is around all of them."""
    value = {"kind": "post", "e": [{"text": "a"}, {"text": "b", "bot": True}, {"n": 1}]}
    found = _decode(value, "/e/*/text", skip="/e/*/bot,!/e/*/text")
    assert ["a", SkipReason.PRESENT, SkipReason.ABSENT] == _told(found)
    found = _decode(value, "/e/*/text", skip="/kind=post")
    assert [SkipReason.VALUE] * 3 == _told(found)
    statuses = {"entry": [{"changes": [{"value": {"statuses": [1]}}]}]}
    skip = "!/entry/*/changes/*/value/messages"
    assert [SkipReason.ABSENT] == _told(_decode(statuses, WHATSAPP, skip=skip))
    assert [SkipReason.NO_TEXT] == _told(_decode(statuses, WHATSAPP, skip="!"))


def test_a_record_has_so_many_elements() -> None:
    """One more, and all of it is a dead letter with its bytes and a remedy."""
    value = [{"text": "a"}] * ELEMENTS_MAX
    assert ["a"] * ELEMENTS_MAX == _told(_decode(value))
    for many, headers in (
        ([*value, {"text": "a"}], ()),
        ("\n".join(['{"text": "a"}'] * (ELEMENTS_MAX + 1)), LINES),
        ("\n".join(['[{"text": "a"}]'] * (ELEMENTS_MAX + 1)), LINES),
    ):
        data = (many if isinstance(many, str) else json.dumps(many)).encode()
        [found] = _decode(data, headers=headers)
        assert isinstance(found, Rejected)
        assert record(value=data, headers=headers) == found.record
        assert (Reason.TOO_MANY_ELEMENTS, "over 1000 elements; send fewer of them in a record") == (
            found.reason, found.detail,
        )  # fmt: skip


def test_what_elements_share_is_bounded() -> None:
    """It is repeated for each of them; an element may be large by itself."""
    value = {"around": "x" * 2**20, "e": [{"text": "a"}] * 18}
    [found] = _decode(value, "/e/*/text")
    assert isinstance(found, Rejected)
    assert Reason.TOO_MANY_ELEMENTS is found.reason
    assert "what its elements share is over 16777216 bytes in all; send fewer" in found.detail
    assert 15 == len(_decode(value | {"e": value["e"][:15]}, "/e/*/text"))
    large = [{"text": "a", "around": "x" * (COPIED_BYTES_MAX + 1)}]
    assert ["a"] == _told(_decode(large))


lists: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["a", " ", None, 7, {}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "e", "data", "specversion"]), inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


@given(
    lists,
    st.sampled_from(
        ["", "/text", "/e/*/text", "/e/*", "/e/*/e/*/text", "/text+/e/*/text,/e/*/data"]
    ),
    st.sampled_from([(), LINES, BATCH]),
    st.sampled_from(["", "!", "!/text", "/e"]),
)  # fmt: skip
def test_an_element_alone_is_decoded_as_in_its_list(
    value: Any, text_field: str, headers: Headers, skip: str
) -> None:
    """So that a dead letter can be sent back: it gives one message, the same as before."""
    for item in _decode(value, text_field, headers, skip):
        [again] = _decode(item.record.value or b"", text_field, headers, skip)
        assert type(item) is type(again)
        match item, again:
            case (Message(), Message()):
                assert (item.text, item.fields) == (again.text, again.fields)
            case (Rejected(), Rejected()):
                assert (item.reason, item.detail) == (again.reason, again.detail)
            case (Skipped(), Skipped()):
                assert item.reason is again.reason
