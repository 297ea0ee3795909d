"""docs/enrollment.md, "Same box, new board": a dead board's card goes on in another one, and loses nothing by it.

The box's own command against the archive, from the claim on the card to the receipt that lets the card forget.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from appliance.contract.enrollment import ClaimError, FormerProof, RetiredBoxError
from appliance.contract.errors import SettingsError
from appliance.contract.keys import SigningKey
from appliance.courier.upload.batches import BatchReader
from appliance.enrollment import command
from appliance.enrollment.command import enroll
from appliance.recorder.settings import RecorderSettings
from appliance.recorder.settings import load as load_recorder
from appliance.recorder.storage.disk import Disk
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer.former import former_keys
from appliance.recorder.writer.receipts import Pinned, ReceiptInbox
from appliance.recorder.writer.recovery import recover
from archive.core.once import new_token
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.models import Entry
from archive.devices.broker_access import access_list, boxes_of
from archive.devices.enrollment import enroll as make_known
from archive.devices.enrollment import retire
from archive.devices.models import Box, BoxKey
from archive.enrollment import new_board
from archive.enrollment.claim_file import Hardware, claim_file
from archive.enrollment.custody_kinds import successors_without_entry
from archive.enrollment.deeds import give_claim, give_claim_for, withdraw_claim
from archive.enrollment.models import Claim
from archive.recordings.find import find, upload_state
from archive.recordings.models import Recording
from archive.recordings.recording_state import recording_state
from archive.sealing.seal import seal
from tests.appliance.enrollment.fake_archive import FakeArchive, files, kept, public
from tests.archive.enrollment.test_deeds import BOARD, codes, district, identity, request
from tests.archive.enrollment.test_former_boxes import asked
from tests.archive.enrollment.test_pages import it, page
from tests.archive.pages import check
from tests.support.archives import Archive
from tests.support.spools import Keys, make_recording
from tests.support.spools import Recording as Made

__all__ = ["asked", "district", "it"]
NEW_BOARD = "20000000ffff0000"
THIRD_BOARD = "30000000aaaa0000"
Put = Callable[[str], None]


@pytest.fixture
def put(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts the card into a board."""
    return lambda board: monkeypatch.setattr(command, "board_serial", lambda: board)


@pytest.fixture
def etc(asked: list[str], tmp_path: Path) -> Path:
    """The settings of a box that is set up, on its card."""
    (tmp_path / "card").mkdir()
    made = tmp_path / "etc"
    enroll(lay(tmp_path, give_claim("Room 9", by=ARCHIVE, now=timezone.now()).text), made)
    return made


def lay(folder: Path, claim: str, box: str | None = None) -> Path:
    """Lay a claim onto the card."""
    path = folder / "card" / "plainsight-claim.toml"
    path.write_text(claim_file(claim, Hardware(), box))
    return path


def claim_for(etc: Path, box: str) -> Path:
    return lay(etc.parent, give_claim_for(box, by=ARCHIVE, now=timezone.now()).text, box)


def id_of(etc: Path) -> str:
    return load_recorder(etc / "recorder.toml").box.id


def keys_of(etc: Path, archive: Archive) -> Keys:
    """The keys that lie on the card, beside those of the archive."""
    return Keys(
        id_of(etc),
        SigningKey.load(etc / "box.key"),
        SigningKey.load(etc / "courier.key"),
        archive.keys.archive_signing,
        archive.keys.archive,
        archive.keys.escrow,
    )


def settings_of(etc: Path) -> RecorderSettings:
    made = load_recorder(etc / "recorder.toml")
    return made.model_copy(update={"box": made.box.model_copy(update={"former": etc / "former.toml"})})


def made_by(keys: Keys, spool: Path, **options: Any) -> Made:
    return make_recording(spool, keys, rate=16000, segment_frames=16000, **options)


def hand_in(archive: Archive, keys: Keys, folder: Path) -> Any:
    """Send a recording as the courier with these keys does; return the last answer."""
    client = archive.client()
    client.signer = keys
    base = f"/api/1/recordings/{folder.name}"
    answer = client.put(f"{base}/header", (folder / "header.tsv").read_bytes(), "text/plain")
    if answer.status_code not in {200, 201}:
        return answer
    client.put(f"{base}/key", (folder / "key.age").read_bytes(), "application/octet-stream")
    return client.post(f"{base}/lines", BatchReader(folder).read_batch(0, None).body, "application/octet-stream")


def refusal_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_promise_3_what_the_card_still_holds_is_closed_sent_and_sealed_as_the_dead_boxs(
    etc: Path, put: Put, district: Archive, tmp_path: Path
) -> None:
    before, spool = keys_of(etc, district), tmp_path / "spool"
    closed = made_by(before, spool)
    # the board died in this one, and some of it is there
    cut = made_by(before, spool, reason=None)
    assert hand_in(district, before, cut.folder).status_code == 200
    put(NEW_BOARD)
    answer = enroll(claim_for(etc, before.box), etc)
    after = keys_of(etc, district)
    assert (answer.former, answer.box) == (before.box, after.box)
    assert after.box != before.box
    assert {after.box_signing.public, after.courier.public}.isdisjoint(
        {before.box_signing.public, before.courier.public}
    )

    former = former_keys(settings_of(etc))
    found = Spool(spool, Disk())
    found.prepare()
    assert recover(found, after.box_signing, former=list(former.values())) == [cut.id]
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for recording in (closed.id, cut.id):
        answered = hand_in(district, after, spool / "recordings" / recording)
        assert answered.status_code == 200, answered.content
        seal(recording)
        row = Recording.objects.get(pk=recording)
        assert (row.box_id, row.signed_header.box_key) == (before.box, before.box_signing.public)
        assert row.room is not None
        assert row.room.name == "Room 9"
        (inbox / f"{recording}.tsv").write_bytes(bytes(row.receipt or b""))
        began = Entry.objects.about(Subject.recording(recording)).get(code="ingest")
        assert began.actor_id == (before.box if recording == cut.id else after.box), "whoever began to hand it in"
    assert Recording.objects.get(pk=cut.id).outcome == "interrupted"

    boxes = {key.public: box for box, key in former.items()} | {after.box_signing.public: after.box}
    deletion = ReceiptInbox(inbox, found, Pinned(boxes, district.keys.archive_signing.public))
    for _ in found.ids():
        while deletion.step():
            pass
    assert list(found.recordings.iterdir()) == [], "the card may forget what the archive has signed for"


def test_the_old_board_is_revoked_in_the_same_deed_and_all_of_it_is_entered(
    etc: Path, put: Put, district: Archive
) -> None:
    first = id_of(etc)
    put(NEW_BOARD)
    path = claim_for(etc, first)
    begun = Entry.objects.count()
    second = enroll(path, etc).box
    old, new = Box.objects.get(pk=first), Box.objects.get(pk=second)
    assert old.retired_at is not None
    assert (old.successor_id, new.successor_id) == (second, None)
    assert [place.room.name for place in new.placements.all()] == ["Room 9"]
    lets_in = access_list(boxes_of(settings.ARCHIVE.mqtt.brokers[0]).values_list("pk", flat=True))
    assert second in lets_in
    assert first not in lets_in, "the broker takes nothing more from the old board's certificate"
    entered = list(Entry.objects.order_by("n"))[begun:]
    assert {"retire", "replace", "enroll", "place", "use-claim", "certify"} <= {entry.code for entry in entered}
    replaced = next(entry for entry in entered if entry.code == "replace")
    assert (replaced.subject_id, replaced.member("successor"), replaced.member("board")) == (first, second, NEW_BOARD)
    assert list(successors_without_entry()) == []


def test_an_old_board_that_wakes_up_with_a_copy_of_the_card_is_told_apart_and_neither_loses_anything(
    etc: Path, put: Put, district: Archive, tmp_path: Path
) -> None:
    old = keys_of(etc, district)
    put(NEW_BOARD)
    enroll(claim_for(etc, old.box), etc)
    new = keys_of(etc, district)
    its, ours = (made_by(keys, tmp_path / name) for keys, name in ((old, "old"), (new, "new")))
    assert refusal_of(hand_in(district, old, its.folder)) == (403, "not-enrolled")
    assert its.folder.exists(), "it stays where it is"
    assert hand_in(district, new, ours.folder).status_code == 200
    assert refusal_of(hand_in(district, old, ours.folder)) == (400, "bad-format"), "it cannot pass for the new one"
    # a technician brings what the old board recorded since: the archive still knows whose it is
    assert hand_in(district, new, its.folder).status_code == 200
    seal(its.id)
    assert Recording.objects.get(pk=its.id).box_id == old.box


def test_what_was_arriving_goes_on_arriving_as_long_as_somebody_hands_it_in(
    etc: Path, put: Put, district: Archive, tmp_path: Path
) -> None:
    old = keys_of(etc, district)
    cut = made_by(old, tmp_path / "spool", reason=None)
    hand_in(district, old, cut.folder)

    def states() -> tuple[str, str]:
        row = find(cut.id)
        return recording_state(row), upload_state(row).state

    put(NEW_BOARD)
    enroll(claim_for(etc, old.box), etc)
    assert states() == ("arriving", "receiving")
    retire(id_of(etc), by=ARCHIVE)
    assert states() == ("box-retired", "refused")


def test_nobody_else_hands_in_what_the_dead_box_recorded_and_no_key_signs_for_another(
    etc: Path, put: Put, district: Archive, tmp_path: Path
) -> None:
    old = keys_of(etc, district)
    put(NEW_BOARD)
    enroll(claim_for(etc, old.box), etc)
    new = keys_of(etc, district)
    left = made_by(old, tmp_path / "old")
    assert refusal_of(hand_in(district, district.keys, left.folder)) == (403, "not-enrolled")
    forged = made_by(
        Keys(old.box, new.box_signing, new.courier, archive=new.archive, escrow=new.escrow), tmp_path / "no"
    )
    assert refusal_of(hand_in(district, new, forged.folder)) == (403, "bad-signature")
    hand_in(district, new, left.folder)
    retire(new.box, by=ARCHIVE)
    late = made_by(old, tmp_path / "late")
    assert refusal_of(hand_in(district, new, late.folder)) == (403, "not-enrolled"), "nor a box that was retired itself"


def test_a_card_may_go_on_in_a_third_board_and_takes_all_before_it_along(
    etc: Path, put: Put, district: Archive, tmp_path: Path
) -> None:
    first = keys_of(etc, district)
    put(NEW_BOARD)
    enroll(claim_for(etc, first.box), etc)
    second = keys_of(etc, district)
    put(THIRD_BOARD)
    enroll(claim_for(etc, second.box), etc)
    third = keys_of(etc, district)
    assert list(former_keys(settings_of(etc))) == [first.box, second.box]
    for keys in (first, second):
        assert hand_in(district, third, made_by(keys, tmp_path / keys.box).folder).status_code == 200
    assert list(successors_without_entry()) == []
    Box.objects.filter(pk=first.box).update(successor=second.box)
    assert len(list(successors_without_entry())) == 1, "a row that was changed by hand is told"


def test_a_claim_that_is_refused_leaves_the_card_as_its_own_board_needs_it(
    etc: Path, put: Put, asked: list[str]
) -> None:
    box, before = id_of(etc), files(etc)
    put(NEW_BOARD)
    path = claim_for(etc, box)
    Claim.objects.filter(used_at=None).update(expires_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(ClaimError, match="has expired"):
        enroll(path, etc)
    assert {name: data for name, data in files(etc).items() if not name.startswith("new-board/")} == before
    assert codes()[-1] == "refuse-claim"
    assert Box.objects.get(pk=box).retired_at is None
    # and with another claim the same keys go on
    enroll(claim_for(etc, box), etc)
    assert not list((etc / "new-board").rglob("*.key"))


@pytest.mark.parametrize("cut_at", range(1, 13))
def test_wherever_the_power_is_cut_the_box_ends_in_the_place_of_the_other(
    etc: Path, put: Put, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    first, before = id_of(etc), files(etc)
    put(NEW_BOARD)
    path, moves, rename = claim_for(etc, first), 0, Path.rename

    def cut(source: Path, target: Path) -> Path:
        nonlocal moves
        if target.parent.name.startswith("of-") or source.is_relative_to(etc / "new-board"):
            moves += 1
            if moves == cut_at:
                raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as power:
        power.setattr(Path, "rename", cut)
        if cut_at <= 10:
            with pytest.raises(KeyboardInterrupt):
                enroll(path, etc)
    if path.exists():
        enroll(path, etc)
    assert Box.objects.get(pk=first).successor_id == id_of(etc)
    assert Box.objects.get(pk=id_of(etc)).believes(public(etc))
    assert list(former_keys(settings_of(etc))) == [first]
    assert {before[name] for name in ("box.key", "courier.key", "mqtt/client.key", "recorder.toml")} <= kept(etc)
    assert Box.objects.filter(claim__for_box=first).count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [("used", "another box has used"), ("expired", "has expired"), ("withdrawn", "was withdrawn")],
)
def test_a_claim_that_is_not_open_lets_nobody_take_a_place(
    etc: Path, put: Put, client: Any, *, change: str, words: str
) -> None:
    box = id_of(etc)
    made = give_claim_for(box, by=ARCHIVE, now=timezone.now())
    put(NEW_BOARD)
    match change:
        case "used":
            thief = identity(etc.parent, "thief")
            key = SigningKey.load(etc / "box.key")
            proof = FormerProof(box=box, box_key=key.public, claim=made.text, new_key=thief.signing.public).sign(key)
            line = request(made.text, thief, board=THIRD_BOARD, former=proof.decode())
            assert client.post("/api/1/enroll", line, content_type="application/octet-stream").status_code == 200
        case "expired":
            Claim.objects.filter(pk=made.row.pk).update(expires_at=timezone.now())
        case _:
            withdraw_claim(made.row.pk, by=ARCHIVE, now=timezone.now())
    with pytest.raises(ClaimError, match=words):
        enroll(lay(etc.parent, made.text, box), etc)
    assert codes()[-1] == "refuse-claim"
    assert id_of(etc) == box


def test_a_claim_for_another_boxs_card_is_told_on_the_card_and_by_the_archive_and_moves_nothing(
    etc: Path, put: Put, district: Archive, client: Any, tmp_path: Path
) -> None:
    other, before = district.keys.box, files(etc)
    put(NEW_BOARD)
    made = give_claim_for(other, by=ARCHIVE, now=timezone.now())
    with pytest.raises(ClaimError, match=f"for the card of {other}, and this is another card"):
        enroll(lay(tmp_path, made.text, other), etc)
    assert files(etc) == before
    # whoever leaves the box's name out of the file, or forges the proof, is told the same by the archive
    with pytest.raises(ClaimError, match=f"for the card of {other}, and this is another card"):
        enroll(lay(tmp_path, made.text), tmp_path / "fresh")
    new, key, theirs = identity(tmp_path, "new"), SigningKey.load(etc / "box.key"), district.keys.box_signing
    good = {"box": other, "box_key": theirs.public, "claim": made.text, "new_key": new.signing.public}
    for said in (
        FormerProof.model_validate({**good, "box_key": key.public}).sign(key),
        FormerProof.model_validate(good).sign(key),
        FormerProof.model_validate({**good, "claim": "7K3M-Q9TX-0RB2-H5NC"}).sign(theirs),
        FormerProof.model_validate({**good, "new_key": key.public}).sign(theirs),
        FormerProof.model_validate({**good, "box": id_of(etc)}).sign(theirs),
        b"nonsense",
    ):
        line = request(made.text, new, board=NEW_BOARD, former=said.decode())
        answer = client.post("/api/1/enroll", line, content_type="application/octet-stream")
        assert "this is another card" in answer.json()["error"]["message"]
    assert Box.objects.get(pk=other).retired_at is None


def test_a_claim_on_the_boxs_own_board_is_told_and_changes_nothing(etc: Path, asked: list[str]) -> None:
    box, before = id_of(etc), files(etc)
    with pytest.raises(ClaimError, match=f"the board of {box} itself"):
        enroll(claim_for(etc, box), etc)
    assert files(etc) == before
    assert Box.objects.get(pk=box).retired_at is None


def test_promise_3_no_other_archive_gets_a_dead_boxs_recordings_by_a_claim_that_names_it(
    etc: Path, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, before = id_of(etc), files(etc)
    foreign = FakeArchive.make(tmp_path / "foreign")
    monkeypatch.setattr(command, "ask", foreign.ask)
    put(NEW_BOARD)
    path = foreign.claim(tmp_path / "card")
    path.write_text(f'box = "{box}"\n{path.read_text()}')
    with pytest.raises(ClaimError, match="belongs to the archive at"):
        enroll(path, etc)
    assert foreign.asked == []
    assert files(etc) == before


def test_promise_3_an_answer_with_another_archives_key_gives_nothing_away(
    etc: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, before, ask = id_of(etc), files(etc), vars(command)["ask"]

    def posing(*arguments: Any) -> bytes:
        said = json.loads(ask(*arguments))
        return json.dumps({**said, "archive_key": SigningKey.generate().public}).encode()

    put(NEW_BOARD)
    path = claim_for(etc, box)
    monkeypatch.setattr(command, "ask", posing)
    with pytest.raises(ClaimError, match="belongs to the archive at"):
        enroll(path, etc)
    assert {name: data for name, data in files(etc).items() if not name.startswith("new-board/")} == before


def test_a_box_that_was_retired_at_once_may_still_go_on(etc: Path, put: Put) -> None:
    """IT retires the dead box first and finds its card later."""
    box = id_of(etc)
    retire(box, by=ARCHIVE)
    put(NEW_BOARD)
    assert enroll(claim_for(etc, box), etc).former == box


def test_an_ordinary_claim_makes_another_box_of_the_card_that_takes_nobodys_place(
    etc: Path, put: Put, district: Archive, tmp_path: Path
) -> None:
    old = keys_of(etc, district)
    put(NEW_BOARD)
    answer = enroll(lay(tmp_path, give_claim("Room 10", by=ARCHIVE, now=timezone.now()).text), etc)
    assert answer.former is None
    assert former_keys(settings_of(etc)) == {}
    assert Box.objects.get(pk=old.box).retired_at is None
    left = made_by(old, tmp_path / "old")
    assert refusal_of(hand_in(district, keys_of(etc, district), left.folder)) == (400, "bad-format")


def test_who_cannot_be_replaced_gets_no_claim(district: Archive, client: Any, etc: Path, put: Put) -> None:
    box = id_of(etc)
    with pytest.raises(SettingsError, match="does not know box-unknown"):
        give_claim_for("box-unknown", by=ARCHIVE, now=timezone.now())
    make_known("box-nowhere1", SigningKey.generate().public, by=ARCHIVE, use=BoxKey.Use.RECORDER)
    with pytest.raises(SettingsError, match="stands in no room"):
        give_claim_for("box-nowhere1", by=ARCHIVE, now=timezone.now())
    second = give_claim_for(box, by=ARCHIVE, now=timezone.now())
    put(NEW_BOARD)
    enroll(claim_for(etc, box), etc)
    with pytest.raises(SettingsError, match=f"{id_of(etc)} goes on in the place of {box}"):
        give_claim_for(box, by=ARCHIVE, now=timezone.now())
    # another claim for the same card that was still open
    before = files(etc)
    put(THIRD_BOARD)
    with pytest.raises(ClaimError, match="this is another card"):
        enroll(lay(etc.parent, second.text, box), etc)
    assert files(etc) == before
    line = request(second.text, identity(etc.parent, "third"), board=THIRD_BOARD)
    answer = client.post("/api/1/enroll", line, content_type="application/octet-stream")
    assert f"{id_of(etc)} goes on in the place of {box} already" in answer.json()["error"]["message"]


def test_the_command_writes_a_claim_that_names_the_box(district: Archive, tmp_path: Path) -> None:
    box = district.keys.box
    done = json.loads(district.run("enroll", "--for-box", box, "-o", str(tmp_path), "--json").stdout)
    assert (done["for_box"], f'box = "{box}"' in Path(done["file"]).read_text()) == (box, True)
    assert "Room 12" not in Path(done["file"]).read_text(), "promise 7: no name of a room on the card"
    for wrong in ([], ["Room 9", "--for-box", box]):
        assert "either a room" in district.run("enroll", *wrong, status=2).stderr
    assert "does not know" in district.run("enroll", "--for-box", "box-unknown", status=2).stderr
    assert Claim.objects.count() == 1


def test_the_page_of_boxes_leads_to_a_claim_and_says_what_became_of_it(it: Any, archive: Archive) -> None:
    box = archive.keys.box
    address = f"/boxes/{box}/new-board/"
    assert address in it.get("/boxes/").content.decode()
    page(it, address)
    assert not Claim.objects.exists(), "a question changes nothing"
    token = new_token()
    shown = check(it.post(address, {"hardware": "usb", "lamp_seen": "on", "once": token}).content.decode())
    assert "Do not write the card anew" in shown.text
    assert "plainsight card" not in shown.text
    row = Claim.objects.get()
    assert (row.for_box_id, row.room.name) == (box, "Room 12")
    fields = {
        one.get("name"): one.get("value") for one in shown.all("input") if one.get("name") != "csrfmiddlewaretoken"
    }
    file = it.post("/boxes/claims/file/", {name: value for name, value in fields.items() if name != "next"})
    assert f'box = "{box}"' in file.content.decode()
    entry = Entry.objects.get(code="claim-for-box")
    assert (entry.actor_type, entry.subject_id) == ("user", box)
    assert it.post(address, {"hardware": "usb", "once": token}).status_code == 302, "sent twice, given once"
    make_known("box-new11111", SigningKey.generate().public, by=ARCHIVE)
    new_board.take_place(Box.objects.get(pk=box), Box.objects.get(pk="box-new11111"), NEW_BOARD)
    listed = it.get("/boxes/").content.decode()
    assert "its card goes on as" in listed
    assert address not in listed
    refused = it.post(address, {"hardware": "usb", "once": new_token()})
    assert refused.status_code == 422
    assert "goes on in the place of" in check(refused.content.decode()).text
    page(it, "/boxes/box-unknown/new-board/", 404)


def test_a_retired_box_whose_new_claim_is_for_its_own_card_is_not_told_to_make_new_keys(
    etc: Path, asked: list[str]
) -> None:
    """It would give its keys away, and with them what it has not sent."""
    box = id_of(etc)
    retire(box, by=ARCHIVE)
    with pytest.raises(ClaimError, match="itself") as caught:
        enroll(claim_for(etc, box), etc)
    assert not isinstance(caught.value, RetiredBoxError)
    assert BOARD in (etc / "recorder.toml").read_text()
