"""docs/format.md section 1.3: one line, one reading, one signature over exactly the stored bytes."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import FormatError, SignatureError
from appliance.contract.header import Header
from appliance.contract.keys import SigningKey
from appliance.contract.ledger import Closing, Entry, TailSegment
from appliance.contract.receipt import Arrival, Receipt
from appliance.contract.signed import MAX_LINE, parse_json, split, split_lines, type_of
from appliance.contract.times import Clock

KEY = SigningKey.generate()
ARRIVAL = Arrival(
    recording="0" * 32,
    n=0,
    prev="1" * 64,
    arrived_at="2026-11-24T10:00:00.000Z",
    what="header",
    first_line=0,
    lines=0,
    sha256="2" * 64,
)


def signed(payload: bytes, key: SigningKey = KEY) -> bytes:
    return payload + b"\t" + base64.b64encode(key.sign(payload)) + b"\n"


def changed(**members: Any) -> bytes:
    return signed(json.dumps({**json.loads(ARRIVAL.payload()), **members}).encode())


def test_what_is_written_is_read() -> None:
    assert Arrival.read(ARRIVAL.sign(KEY), KEY.public) == ARRIVAL


def test_the_signature_covers_the_stored_bytes_not_a_new_serialization() -> None:
    loose = ARRIVAL.payload().replace(b',"n":0', b' ,  "n": 0')
    assert Arrival.read(signed(loose), KEY.public) == ARRIVAL


@given(st.data())
def test_promise_5_no_flipped_bit_of_a_line_passes(data: st.DataObject) -> None:
    line = bytearray(ARRIVAL.sign(KEY))
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FormatError):
        Arrival.read(bytes(line), KEY.public)


def test_another_key_does_not_pass() -> None:
    with pytest.raises(SignatureError):
        Arrival.read(ARRIVAL.sign(SigningKey.generate()), KEY.public)


def test_a_signature_over_one_kind_never_passes_as_another() -> None:
    line = ARRIVAL.sign(KEY)
    for kind in (Header, Receipt):
        with pytest.raises(FormatError):
            kind.read(line, KEY.public)
    with pytest.raises(FormatError, match="not a ledger line"):
        Entry.read(line, KEY.public)
    assert type_of(line) == "plainsight/arrival/1"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"n":0,"type":"plainsight/arrival/1"}', "first member"),
        (b' {"type":"plainsight/arrival/1"}', "first member"),
        (b'{"type":"plainsight/arrival/1"', "not a JSON object"),
        (b'{"type":"\xc3\xa9"}', "ASCII"),
        (b'{"type":"x","type":"x"}', "twice"),
        (b'{"type":"x","a":{"b":1,"b":2}}', "twice"),
        (b'{"type":1.0}', "no 64-bit integer"),
        (b'{"type":1e3}', "no 64-bit integer"),
        (b'{"type":NaN}', "no 64-bit integer"),
        (b'{"type":-Infinity}', "no 64-bit integer"),
        (b'{"type":9223372036854775808}', "no 64-bit integer"),
        (b'{"type":-9223372036854775809}', "no 64-bit integer"),
        (b'{"type":' + b"9" * 5000 + b"}", "no 64-bit integer"),
        (b'{"type":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a JSON object"),
    ],
)
def test_json_beyond_the_format_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        Arrival.read(signed(payload), KEY.public)


@pytest.mark.parametrize("payload", [b"[]", b"null", b"5", b'"type"', b"{}", b'{"type":5}'])
def test_a_type_is_only_told_of_an_object_that_has_one(payload: bytes) -> None:
    with pytest.raises(FormatError):
        type_of(signed(payload))


def test_the_largest_numbers_pass() -> None:
    assert parse_json(b'{"a":9223372036854775807,"b":-9223372036854775808}') == {"a": 2**63 - 1, "b": -(2**63)}


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"n": "0"}, "n"),
        ({"n": True}, "n"),
        ({"n": -1}, "n"),
        ({"n": None}, "n"),
        ({"recording": "0" * 31}, "recording"),
        ({"recording": "A" * 32}, "recording"),
        ({"prev": "1" * 64 + "\n"}, "prev"),
        ({"what": "sealing"}, "what"),
        ({"arrived_at": "2026-02-30T10:00:00.000Z"}, "arrived_at"),
    ],
)
def test_a_wrong_member_is_named(members: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError, match=field) as caught:
        Arrival.read(changed(**members), KEY.public)
    assert caught.value.field == field


def test_a_missing_member_is_named() -> None:
    members = json.loads(ARRIVAL.payload())
    del members["sha256"]
    with pytest.raises(FormatError, match="sha256: is missing"):
        Arrival.read(signed(json.dumps(members).encode()), KEY.public)


LINE = ARRIVAL.sign(KEY)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        LINE[:-1],
        LINE + b"\n",
        LINE[:-1] + b"\r\n",
        LINE.replace(b"\t", b" "),
        LINE.replace(b"\t", b"\t\t"),
        LINE[:-3] + b"\n",
        LINE[:-1] + b"AA==\n",
        LINE[:-2] + b"\n",
        LINE[:-4] + bytes([LINE[-4] + 1]) + LINE[-3:],
        b"x" * MAX_LINE + LINE,
    ],
)
def test_a_line_of_another_form_is_refused(line: bytes) -> None:
    with pytest.raises(FormatError):
        split(line)


def test_bytes_after_the_last_lf_are_no_line() -> None:
    assert split_lines(b"a\nb\nc") == [b"a\n", b"b\n"]
    assert split_lines(b"") == []


@pytest.mark.parametrize(
    "payload",
    [
        "{" + ",".join(f'"{n:04x}":0' for n in range(6000)) + ',"0000":0}',
        "{" + '"a":0,' * 10_000 + '"a":0}',
        '{"a":' * 8000 + "0" + "}" * 8000,
        '{"a":' + "9" * 60_000 + "}",
        '{"a":[' + '{"b":0},' * 8000 + '{"b":0,"b":0}]}',
    ],
)
def test_64_kb_of_anything_cost_milliseconds(payload: str) -> None:
    began = time.process_time()
    with pytest.raises(FormatError):
        parse_json(payload.encode())
    assert time.process_time() - began < 0.2


def test_an_object_has_at_most_64_members() -> None:
    def of(count: int) -> bytes:
        return json.dumps({"type": "x"} | {f"m{number}": number for number in range(count - 1)}).encode()

    assert len(parse_json(of(64))) == 64
    with pytest.raises(FormatError, match="at most 64 members"):
        parse_json(of(65))


@pytest.mark.parametrize(("opens", "closes"), [('{"a":', "}"), ("[", "]")])
def test_objects_and_lists_lie_at_most_16_deep_whatever_python_s_own_reader_takes(opens: str, closes: str) -> None:
    def of(depth: int) -> bytes:
        return f'{{"type":{opens * (depth - 1)}0{closes * (depth - 1)}}}'.encode()

    assert set(parse_json(of(16))) == {"type"}
    with pytest.raises(FormatError, match="at most 16 deep"):
        parse_json(of(17))


def test_promise_3_the_closing_record_of_the_longest_usual_recording_is_read_also_if_every_segment_is_unverified() -> (
    None
):
    hours_4 = [TailSegment(segment=n, size=100_447, sha256="1" * 64) for n in range(4 * 3600)]
    closing = Closing(
        t_ns=1,
        reason="interrupted",
        frames=0,
        segments=0,
        lost_frames=0,
        ended_at="2026-11-24T10:00:00.000Z",
        clock=Clock(synchronized=False, source="none", offset_ns=None),
        unverified_tail=hours_4,
    )
    line = Entry(recording="0" * 32, n=0, prev="1" * 64, fact=closing).sign(KEY)
    assert Entry.read(line, KEY.public).fact == closing


def test_a_line_may_have_every_byte_up_to_the_limit() -> None:
    signature = b"\t" + base64.b64encode(bytes(64)) + b"\n"
    assert split(b"x" * (MAX_LINE - len(signature)) + signature)[1] == bytes(64)
    with pytest.raises(FormatError, match="at most"):
        split(b"x" * (MAX_LINE - len(signature) + 1) + signature)
