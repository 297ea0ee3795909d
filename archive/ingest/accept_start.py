"""Taking in what comes before the audio: a header, and the recording's encrypted key."""

from __future__ import annotations

from collections.abc import Container

from appliance.contract.errors import ConflictError, DigestError, FormatError, NotEnrolledError, SignatureError
from appliance.contract.header import Header
from appliance.contract.package_room import check_promise
from appliance.contract.signed import check_signature, digest
from appliance.contract.times import now, parse_wall
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.devices.models import Box
from archive.keystore.recording_keys import recording_keys
from archive.recordings import arrival_log
from archive.recordings.custody_kinds import PROBLEM
from archive.recordings.dating import listed
from archive.recordings.find import check_box_is_believed, find
from archive.recordings.models import Recording
from archive.recordings.validation import judge_key
from archive.rooms.placement import room_at

from .authentication import Sender
from .custody_kinds import INGEST
from .quotas import check_new_recording


def accept_header(recording: str, sender: Sender, line: bytes) -> bool:
    """Take a recording's header in from the box `sender`; return False if the same bytes were there already."""
    header = _believed(line, sender)
    if header.recording != recording:
        raise FormatError(f"the header is of recording {header.recording}", field="recording")
    check_promise(header.audio)
    created = parse_wall(header.created_at)
    arrived = now()
    moment = parse_wall(arrived)
    place = listed(created, moment, trusted=header.clock.synchronized)
    with one_deed():
        if not Recording.objects.filter(pk=recording).exists():
            check_new_recording(header.box, moment)
            _check_continues(header)
        row, new = Recording.objects.get_or_create(
            pk=recording,
            defaults={
                "box_id": header.box,
                "room": room_at(header.box, created if header.clock.synchronized else moment, moment),
                "header": line,
                "created_at": created,
                "arrived_at": moment,
                "listed_at": place.at,
                "dated": place.dated,
                "continues": header.continues or "",
                "rate": header.audio.rate,
                "panel": header.panel,
                "lamp": header.lamp,
            },
        )
        if not new:
            if bytes(row.header) != line:
                raise ConflictError("the archive has another header of this recording")
            return False
        arrival_log.sign(row, "header", digest(line), at=arrived).save(force_insert=True)
        row.save(update_fields=arrival_log.COLUMNS)
        record(INGEST, actor=Actor.box(sender.box), subject=Subject.recording(recording))
    return True


def _believed(line: bytes, sender: Sender) -> Header:
    claimed = Header.read(line, None)
    if claimed.box not in sender.boxes:
        if not Box.objects.filter(pk=claimed.box, retired_at=None).exists():
            raise NotEnrolledError(
                f"the archive does not know {claimed.box}; give it a claim with 'plainsight-archive enroll'"
            )
        raise FormatError(f"{sender.box} cannot hand in a recording of {claimed.box}", field="box")
    if not sender.recorder_keys:
        raise NotEnrolledError(
            f"{sender.box} was retired, or none of its keys holds; give it a claim with 'plainsight-archive enroll'"
        )
    if sender.recorder_keys.get(claimed.box_key) != claimed.box:
        raise SignatureError(f"{claimed.box} is enrolled with another key; enroll this one too", field="box_key")
    check_signature(line, claimed.box_key)
    return claimed


def _check_continues(header: Header) -> None:
    """Raise FormatError if the header claims to go on from what another box recorded."""
    if header.continues and Recording.objects.filter(pk=header.continues).exclude(box_id=header.box).exists():
        raise FormatError("a recording goes on only from one of the same box", field="continues")


def accept_key(row: Recording, believed: Container[str], key_age: bytes) -> bool:
    """Take a recording's encrypted key in; return False if it was there already. It is never taken twice.

    So a key that was destroyed does not come back with a box that sends it again.
    """
    header = row.signed_header
    if digest(key_age) != header.key_sha256:
        raise DigestError("key.age does not have the digest in the header", field="key_sha256")
    if row.key_arrived:
        return False
    check_box_is_believed(row, believed)
    recording_keys().put_once(row.pk, key_age)
    verdict = judge_key(header)
    arrived = now()
    with one_deed():
        row = find(row.pk, lock=True)
        if row.key_arrived:
            return False
        row.key_arrived, row.key_verdict = True, verdict
        arrival_log.sign(row, "key", header.key_sha256, at=arrived).save(force_insert=True)
        row.save(update_fields=["key_arrived", "key_verdict", *arrival_log.COLUMNS])
        if verdict != "ok":
            subject = Subject.recording(row.pk)
            record(PROBLEM, actor=ARCHIVE, subject=subject, what="key", code=verdict or "keystore-failed")
    return True
