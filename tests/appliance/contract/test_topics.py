"""MQTT topics: one tree a box, and nothing in them but random ids, states and codes (promise 7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.ids import BOX_PATTERN, new_box_id
from appliance.contract.topics import ALL, Topics, parse

boxes = st.from_regex(BOX_PATTERN, fullmatch=True)
codes = st.from_regex(r"[a-z0-9-]{2,40}", fullmatch=True)


@given(boxes, codes)
def test_every_topic_of_a_box_lies_below_its_id_and_parses_back(box: str, code: str) -> None:
    topics = Topics(box)
    tails = {
        topics.online: "online",
        topics.recorder: "state/recorder",
        topics.about: "state/about",
        topics.fault(code): f"state/fault/{code}",
        topics.event(code): f"event/{code}",
    }
    assert len(tails) == 5
    for topic, tail in tails.items():
        assert topic.startswith(f"plainsight/{box}/")
        assert parse(topic) == (box, tail)
        assert not set(topic) & set("+#\0 ")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "plainsight",
        "plainsight/",
        "plainsight/box-7f3a",
        "plainsight/box-7f3a/",
        "plainsight/Room 12/online",
        "plainsight/box-7F3A/online",
        "plainsight//online",
        "other/box-7f3a/online",
        "/plainsight/box-7f3a/online",
        "$SYS/broker/uptime",
    ],
)
def test_anything_else_is_none_of_ours(topic: str) -> None:
    assert parse(topic) is None


def test_the_archive_subscribes_to_every_box_and_nothing_else() -> None:
    box = new_box_id()
    prefix, plus, rest = ALL.split("/")
    assert (prefix, plus, rest) == ("plainsight", "+", "#")
    assert Topics(box).online.split("/")[0] == prefix
