"""One recording's next step, given what the archive says that it has; without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

import pytest

from appliance.contract.status import UploadState
from appliance.courier.upload.archive_client import RefusedError
from appliance.courier.upload.receipt_inbox import ReceiptInbox
from appliance.courier.upload.spool_reader import PendingRecording
from appliance.courier.upload.upload import Upload
from tests.support.spools import Keys, Recording, make_recording

SHORT: dict[str, Any] = {"rate": 8000, "segment_frames": 1000}


class Says:
    """An archive that says what it is told to, and remembers what it was given."""

    def __init__(self, *states: UploadState | RefusedError) -> None:
        self.states = list(states)
        self.given: list[str] = []
        self.line: bytes | None = None

    def state(self, _recording: str) -> UploadState:
        state = self.states.pop(0)
        if isinstance(state, RefusedError):
            raise state
        return state

    def post_lines(self, _recording: str, _body: bytes) -> UploadState:
        return self.state("")

    def put_header(self, _recording: str, _data: bytes) -> None:
        self.given.append("header")

    def put_key(self, _recording: str, _data: bytes) -> None:
        self.given.append("key")

    def put_tail(self, _recording: str, number: int, _data: bytes) -> None:
        self.given.append(f"tail {number}")

    def receipt(self, _recording: str) -> bytes | None:
        return self.line


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    (tmp_path / "inbox").mkdir()
    return make_recording(tmp_path, Keys(), seconds=1, **SHORT)


def of(recording: Recording, state: Literal["receiving", "closed", "sealed", "refused"], next_line: int) -> UploadState:
    return UploadState(recording=recording.id, state=state, next_line=next_line, frames=0)


def upload(recording: Recording, says: Says) -> Upload:
    pending = PendingRecording(recording.id, recording.folder, None)
    made = Upload(pending, cast("Any", says), ReceiptInbox(recording.spool / "inbox"))
    assert made.step(pending) == "asked"
    return made


@pytest.mark.parametrize(
    ("state", "next_line", "given"),
    [
        ("receiving", 0, ["key"]),
        ("receiving", 1, []),
        ("closed", 0, []),
        ("sealed", 0, []),
        ("refused", 0, []),
    ],
)
def test_the_key_is_sent_again_only_while_the_archive_waits_for_the_first_line(
    recording: Recording, state: Literal["receiving", "closed", "sealed", "refused"], next_line: int, given: list[str]
) -> None:
    says = Says(of(recording, state, next_line))
    upload(recording, says)
    assert says.given == given


def test_an_archive_that_does_not_know_it_gets_header_and_key_and_is_asked_again(recording: Recording) -> None:
    says = Says(RefusedError("unknown-recording", "no"), of(recording, "receiving", 0))
    upload(recording, says)
    assert says.given == ["header", "key"]


def test_another_refusal_is_told_and_nothing_is_sent(recording: Recording) -> None:
    says = Says(RefusedError("forbidden", "no"))
    with pytest.raises(RefusedError):
        upload(recording, says)
    assert says.given == []


def test_one_segment_that_is_too_large_by_itself_is_refused_and_not_sent_for_ever(recording: Recording) -> None:
    made = upload(recording, Says(of(recording, "receiving", 1), RefusedError("too-large", "no")))
    with pytest.raises(RefusedError):
        made.step(PendingRecording(recording.id, recording.folder, None))


def test_a_running_recording_of_which_all_is_sent_is_caught_up(recording: Recording) -> None:
    running = PendingRecording(recording.id, recording.folder, 1)
    made = upload(recording, Says(of(recording, "receiving", 1)))
    assert made.step(running) == "caught-up"


def test_after_a_tail_that_was_taken_the_next_follows_at_once(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    recording = make_recording(tmp_path, Keys(), seconds=1, reason="interrupted", tail=2, **SHORT)
    all_lines = of(recording, "closed", len(recording.lines))
    states = [all_lines.model_copy(update={"tail_missing": list(recording.tail)[n:]}) for n in range(3)]
    says = Says(*states)
    made = upload(recording, says)
    pending = PendingRecording(recording.id, recording.folder, None)
    assert [made.step(pending), made.step(pending)] == ["sent", "sent"]
    assert says.given == [f"tail {number}" for number in recording.tail]


def test_a_seal_that_was_awaited_brings_its_receipt_in_the_same_step(recording: Recording) -> None:
    end = len(recording.lines)
    says = Says(of(recording, "closed", end), of(recording, "closed", end), of(recording, "sealed", end))
    says.line = recording.receipt()
    made = upload(recording, says)
    pending = PendingRecording(recording.id, recording.folder, None)
    assert [made.step(pending), made.step(pending)] == ["unsealed", "receipt"]
    assert made.done
