"""Control messages: whatever one process means, the other one reads; anything else is refused by name."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from appliance.contract.ids import MAX_COUNT
from appliance.contract.ledger import AudioSpan, EndWarning, Fault, Lamp
from appliance.recorder.ipc import messages
from appliance.recorder.ipc.messages import FromCapture, FromWriter, Message, MessageError, ToCapture, ToWriter, decode

KINDS: list[Any] = [kind for union in (ToCapture, FromCapture, ToWriter, FromWriter) for kind in get_args(union)]
NUMBERS = st.integers(1, MAX_COUNT)
CODES = st.from_regex(r"[a-z0-9-]{2,40}", fullmatch=True)
IDS = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "device": st.text(max_size=50), "message": st.text(max_size=200), "code": CODES, "recording": IDS,
    "continues": st.none() | IDS, "cause": st.just("stall"),
    "reason": st.just("button"), "paused": st.booleans(), "quiet": st.booleans(), "fatal": st.booleans(),
    "faults": st.frozensets(CODES, max_size=3),
    "fact": st.builds(Lamp, t_ns=NUMBERS, lit=st.booleans(), commanded_ns=NUMBERS, seen_ns=st.none() | NUMBERS)
    | st.builds(AudioSpan, t_ns=NUMBERS, open=st.booleans(), at_ns=NUMBERS, generation=NUMBERS)
    | st.builds(Fault, t_ns=NUMBERS, code=CODES, raised=st.booleans())
    | st.builds(EndWarning, t_ns=NUMBERS, code=CODES, in_s=NUMBERS),
}  # fmt: skip


def message_of(kind: Any) -> st.SearchStrategy[Message]:
    names = [name for name in kind.model_fields if name != "kind"]
    return st.builds(kind, **{name: MEMBERS.get(name, NUMBERS) for name in names})


@given(st.sampled_from(KINDS).flatmap(message_of))
def test_every_message_is_read_as_it_was_meant(message: Message) -> None:
    assert decode(messages.encode(message)) == message


def test_each_kind_has_a_name_of_its_own() -> None:
    names = [kind.model_fields["kind"].default for kind in KINDS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("packet", "field"),
    [
        (b"{", "(whole)"),
        (b"[1]", "(whole)"),
        (b"{}", "(whole)"),
        (b'{"kind":"news"}', "(whole)"),
        (b'{"kind":"stop-writer","now":true}', "stop-writer.now"),
        (b'{"kind":"end-recording","reason":"tea"}', "end-recording.reason"),
        (b'{"kind":"enter-fact","fact":{"kind":"lamp","t_ns":1,"lit":true,"comanded_ns":1,"seen_ns":null}}',
         "enter-fact.fact.lamp.comanded_ns"),
        (b'{"kind":"microphone-opening","at_ns":"1"}', "microphone-opening.at_ns"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_and_the_member_named(packet: bytes, field: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode(packet)
    assert caught.value.field == field


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=9)
)
def test_nothing_but_a_message_is_ever_read(value: Any) -> None:
    with pytest.raises(MessageError):
        decode(json.dumps(value).encode())


def test_promise_7_no_message_has_a_member_for_a_level() -> None:
    properties = json.dumps([TypeAdapter(kind).json_schema() for kind in KINDS])
    assert not {word for word in ("level", "rms", "peak", "loud") if f'{word}"' in properties}


def test_each_member_of_a_message_is_read_by_the_process_that_gets_it() -> None:
    """What is sent and never read only looks as if somebody knew it."""
    read: set[str] = set()
    recorder = Path(messages.__file__).parents[1]
    for path in recorder.rglob("*.py"):
        if path == Path(messages.__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                read.add(node.attr)
            elif isinstance(node, ast.MatchClass):
                read |= set(node.kwd_attrs)
    unread = {f"{kind.__name__}.{name}" for kind in KINDS for name in kind.model_fields if name not in read | {"kind"}}
    assert not unread
