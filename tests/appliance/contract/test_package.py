"""docs/format.md sections 5 and 5.4: a package has one form, and its reader demands every byte of it."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bagit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract import zip_profile
from appliance.contract.errors import FormatError, StorageError, TooLargeError
from appliance.contract.package import write_package
from appliance.contract.signed import digest
from appliance.contract.zip_profile import check_room, looks_like_package, read_member, read_members
from tests.support.packages import rebuilt

ID = "0f3c9a52e4b14f1f8a0e6f7f5d2b9c31"
AT = "2026-11-24T10:00:00.000Z"
PAYLOAD = [
    ("data/header.tsv", b"header\n"),
    ("data/ledger.tsv", b"ledger\n"),
    ("data/arrivals.tsv", b"arrivals\n"),
    ("data/events.json", b"[]"),
    ("data/segments/00000000.age", bytes(range(256)) * 20),
]


def written(payload: list[tuple[str, bytes]] = PAYLOAD) -> tuple[bytes, dict[str, int]]:
    file = io.BytesIO()
    places = write_package(
        file, ID, lambda: iter(payload), lambda sha256: f"receipt {sha256}\n".encode(), outcome="complete", sealed_at=AT
    )
    return file.getvalue(), places


DATA, PLACES = written()


def test_stock_tools_accept_it(tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(DATA)
    assert subprocess.run(["unzip", "-tqq", str(path)], check=False, capture_output=True).returncode == 0
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}
    bagit.Bag(str(tmp_path / ID)).validate()
    for name, data in PAYLOAD:
        assert (tmp_path / ID / name).read_bytes() == data


def test_the_members_stand_in_the_documented_order() -> None:
    tags = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "receipt.tsv"]
    names = [member.name for member in read_members(io.BytesIO(DATA))]
    assert names == [f"{ID}/{name}" for name in [*tags, *(name for name, _ in PAYLOAD)]]


def test_the_receipt_is_signed_over_the_manifest_that_is_inside() -> None:
    members = {one.name: read_member(io.BytesIO(DATA), one) for one in read_members(io.BytesIO(DATA))}
    manifest = members[f"{ID}/manifest-sha256.txt"]
    assert members[f"{ID}/receipt.tsv"] == f"receipt {digest(manifest)}\n".encode()
    assert (
        manifest.decode().splitlines()[0] == f"{hashlib.sha256(b'header' + bytes([10])).hexdigest()}  data/header.tsv"
    )


def test_bag_info_is_exactly_the_documented_one() -> None:
    members = {one.name: read_member(io.BytesIO(DATA), one) for one in read_members(io.BytesIO(DATA))}
    assert members[f"{ID}/bag-info.txt"].decode().splitlines() == [
        "Source-Organization: Plain Sight archive",
        f"External-Identifier: {ID}",
        "Bagging-Date: 2026-11-24",
        f"Payload-Oxum: {sum(len(data) for _, data in PAYLOAD)}.{len(PAYLOAD)}",
        "Outcome: complete",
    ]


def test_the_writer_tells_where_each_member_is() -> None:
    for name, data in PAYLOAD:
        assert DATA[PLACES[name] : PLACES[name] + len(data)] == data
    assert DATA[PLACES["bagit.txt"] :].startswith(b"BagIt-Version: 1.0\n")


def test_the_first_local_header_is_the_documented_one_byte_for_byte() -> None:
    name = f"{ID}/bagit.txt".encode()
    text = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    fixed = struct.pack(
        "<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 33, zlib.crc32(text), len(text), len(text), len(name), 0
    )
    assert DATA.startswith(fixed + name + text)


def test_the_same_parts_make_the_same_bytes() -> None:
    assert written()[0] == DATA


def test_no_more_than_one_member_is_held_in_memory() -> None:
    """The writer goes through the payload twice, and lets go of each part before it asks for the next."""
    alive = 0

    class Part(bytes):
        def __new__(cls, data: bytes) -> Part:
            nonlocal alive
            alive += 1
            assert alive <= 2, "parts pile up"
            return super().__new__(cls, data)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def members() -> Iterator[tuple[str, bytes]]:
        for number in range(20):
            yield f"data/segments/{number:08d}.age", Part(bytes(100))

    write_package(io.BytesIO(), ID, members, lambda _: b"receipt\n", outcome="complete", sealed_at=AT)


def test_a_part_that_changes_while_it_is_packed_is_noticed() -> None:
    answers = iter([[("data/header.tsv", b"one")], [("data/header.tsv", b"two")]])
    with pytest.raises(StorageError, match=r"data/header\.tsv"):
        write_package(io.BytesIO(), ID, lambda: next(answers), lambda _: b"", outcome="complete", sealed_at=AT)


def test_what_a_zip_of_this_profile_cannot_hold_is_refused_before_a_byte_is_written() -> None:
    check_room([("a", 1000)] * 65534)
    with pytest.raises(TooLargeError):
        check_room([("a", 0)] * 65535)
    with pytest.raises(TooLargeError):
        check_room([("a", 1 << 31), ("b", 1 << 31)])
    file = io.BytesIO()
    many = [(f"data/segments/{number:08d}.age", b"") for number in range(65530)]
    with pytest.raises(TooLargeError):
        write_package(file, ID, lambda: iter(many), lambda _: b"", outcome="complete", sealed_at=AT)
    assert file.getvalue() == b""


def test_promise_5_every_bit_around_the_members_is_demanded() -> None:
    inside = [range(one.offset, one.offset + one.size) for one in read_members(io.BytesIO(DATA))]
    around = [at for at in range(len(DATA)) if not any(at in span for span in inside)]
    for at in around:
        for bit in range(8):
            flipped = bytearray(DATA)
            flipped[at] ^= 1 << bit
            assert looks_like_package(io.BytesIO(flipped)), f"byte {at}"
            assert refusal(bytes(flipped)).startswith(("byte ", ID)), f"byte {at}, bit {bit}"


def refusal(data: bytes) -> str:
    """What the reader says; a member's name or CRC may first show when the member is read."""
    file = io.BytesIO(data)
    try:
        for member in read_members(file):
            read_member(file, member)
    except FormatError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DATA[:-1],
        DATA[:-22],
        DATA[: len(DATA) // 2],
        DATA[1:],
        b"\0" + DATA,
        DATA + b"\0",
        DATA + DATA,
        DATA[:-2] + b"\x01\x00x",
        zip_profile.directory([]),
        zip_profile.END.pack(b"PK\x05\x06", 0, 0, 1, 1, 0xFFFFFFFF, 0, 0),
        zip_profile.END.pack(b"PK\x05\x06", 0, 0, 65535, 65535, 0, 0, 0),
    ],
)
def test_bytes_before_after_or_missing_are_named(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^byte \d+: "):
        read_members(io.BytesIO(data))


def test_other_forms_of_a_valid_zip_are_refused() -> None:
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as made:
            for name, data in PAYLOAD:
                made.writestr(f"{ID}/{name}", data)
        with pytest.raises(FormatError):
            read_members(file)


def test_a_claim_of_a_large_directory_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "sparse.zip"
    size = (1 << 32) - 1000
    with path.open("wb") as file:
        file.write(DATA)
        file.truncate(size - 22)
        file.seek(size - 22)
        file.write(zip_profile.END.pack(b"PK\x05\x06", 0, 0, 10, 10, size - 22 - 500, 500, 0))
    with path.open("rb") as file, pytest.raises(FormatError, match="too long"):
        read_members(file)


@settings(max_examples=300)
@given(st.data())
def test_any_damage_is_refused_and_never_an_exception_of_another_kind(data: st.DataObject) -> None:
    damaged = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        patch = data.draw(st.binary(max_size=12))
        damaged[at : at + data.draw(st.integers(0, 12))] = patch
        if not damaged:
            break
    if bytes(damaged) != DATA:
        assert refusal(bytes(damaged)).startswith(("byte ", ID))


def test_other_files_are_not_taken_for_packages() -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("letter.txt", "Dear parents, " * 100)
    for data in (b"", b"a letter", bytes(5000), other.getvalue(), b"\x7fELF" + bytes(200)):
        assert not looks_like_package(io.BytesIO(data))


def test_a_package_without_its_beginning_or_its_end_is_still_known() -> None:
    for data in (DATA, DATA[:5], DATA[:4000], DATA[40:], rebuilt(ID, PAYLOAD)):
        assert looks_like_package(io.BytesIO(data))


@pytest.mark.parametrize("length", [4, zip_profile.CENTRAL.size - 1])
def test_a_directory_that_ends_inside_an_entry_is_refused(length: int) -> None:
    whole = DATA
    fields = list(zip_profile.END.unpack(whole[-zip_profile.END.size :]))
    start = fields[6]
    fields[5] = length
    cut = whole[: start + length] + zip_profile.END.pack(*fields)
    with pytest.raises(FormatError, match=f"byte {start}: the directory is damaged"):
        read_members(io.BytesIO(cut))


def with_end(**changes: int) -> bytes:
    """The package with other fields in its end record: 3 and 4 count the members, 5 and 6 place the directory."""
    fields = list(zip_profile.END.unpack(DATA[-zip_profile.END.size :]))
    for name, value in changes.items():
        fields[int(name.removeprefix("field"))] = value
    return DATA[: -zip_profile.END.size] + zip_profile.END.pack(*fields)


def refused_because(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read_members(io.BytesIO(data))
    return caught.value.message


def test_each_thing_that_is_wrong_at_the_end_is_told_for_what_it_is() -> None:
    count = len(read_members(io.BytesIO(DATA)))
    for wrong in (count - 1, count + 1):
        assert f"lists {count} members, the end record {wrong}" in refused_because(with_end(field3=wrong, field4=wrong))
    assert "the end record is damaged" in refused_because(DATA[:-22] + b"PK\x05\x07" + DATA[-18:])
    assert refused_because(DATA[-21:]) == "byte 0: too short for a package"
    assert "does not fit the file's 22 bytes" in refused_because(zip_profile.directory([]))


def test_a_member_that_stands_elsewhere_than_the_directory_says_is_told() -> None:
    members = read_members(io.BytesIO(DATA))
    start = members[-1].offset + members[-1].size
    moved = [replace(one, header_offset=one.header_offset + (one is members[1])) for one in members]
    longer = [replace(one, size=one.size + 50 * (one is members[-1])) for one in members]
    for wrong, name in ((moved, members[1].name), (longer, members[-1].name)):
        directory = b"".join(one.central() for one in wrong)
        assert f"{name} does not stand where the directory says" in refused_because(
            DATA[:start] + directory + DATA[-zip_profile.END.size :]
        )


def test_the_longest_names_and_the_most_members_are_read() -> None:
    long = rebuilt(ID, [("x" * (zip_profile.MAX_NAME - len(ID) - 1), b"data")] * 3)
    assert [len(one.name) for one in read_members(io.BytesIO(long))] == [zip_profile.MAX_NAME] * 3
    most = rebuilt(ID, [("x", b"")] * zip_profile.MAX_MEMBERS)
    assert len(read_members(io.BytesIO(most))) == zip_profile.MAX_MEMBERS


def test_a_package_may_have_every_byte_that_a_zip_can_hold_and_none_more() -> None:
    fixed = zip_profile.END.size + zip_profile.LOCAL.size + zip_profile.CENTRAL.size + 2
    check_room([("a", zip_profile.MAX_BYTES - fixed)])
    with pytest.raises(TooLargeError):
        check_room([("a", zip_profile.MAX_BYTES - fixed + 1)])


def test_what_stands_in_front_is_read_without_the_end() -> None:
    members = read_members(io.BytesIO(DATA))
    cut = DATA[: members[2].offset + members[2].size]
    assert zip_profile.leading_members(io.BytesIO(cut), 3) == members[:3]
    with pytest.raises(FormatError, match=f"byte {len(cut)}: a member's header is damaged"):
        zip_profile.leading_members(io.BytesIO(cut), 4)
    with pytest.raises(FormatError, match=f"byte {len(cut)}: a member's header is damaged"):
        zip_profile.leading_members(io.BytesIO(cut + b"PK\x03\x04"), 4)
    for at in (0, 3):
        with pytest.raises(FormatError, match="byte 0: a member's header is damaged"):
            zip_profile.leading_members(io.BytesIO(cut[:at] + b"x" + cut[at + 1 :]), 1)
    for at in (4, 10, 28):
        with pytest.raises(FormatError, match="is not what the format demands"):
            zip_profile.leading_members(io.BytesIO(cut[:at] + b"x" + cut[at + 1 :]), 1)


@pytest.mark.parametrize(("size", "known"), [(99, True), (100, False)])
def test_a_file_that_is_too_short_to_tell_is_taken_for_a_damaged_package(size: int, known: bool) -> None:
    assert looks_like_package(io.BytesIO(b"PK\x03\x04".ljust(size, b"x"))) is known


def test_bytes_between_the_last_member_and_the_directory_are_told() -> None:
    members = read_members(io.BytesIO(DATA))
    start = members[-1].offset + members[-1].size
    fields = list(zip_profile.END.unpack(DATA[-zip_profile.END.size :]))
    fields[6] = start + 5
    shifted = DATA[:start] + b"extra" + DATA[start : -zip_profile.END.size] + zip_profile.END.pack(*fields)
    assert refused_because(shifted) == f"byte {start}: something stands between the last member and the directory"
