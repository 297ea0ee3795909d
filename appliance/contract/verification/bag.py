"""The bag inside the ZIP: which members it has, and that its tag files are what the payload makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

from appliance.contract.errors import FormatError
from appliance.contract.package import BAGIT, PAYLOAD, TAG_FILES, bag_info, manifest, tag_manifest
from appliance.contract.receipt import Receipt
from appliance.contract.signed import digest
from appliance.contract.zip_profile import Member, read_member

MAX_MEMBER_BYTES = 256 << 20
"""Most bytes of one member that are read into memory; a ledger of 65,000 segments has some 40 MB."""


@dataclass
class Bag:
    """An open package."""

    file: BinaryIO
    recording: str
    members: dict[str, Member]
    """By full name."""
    digests: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the members that were read, by path in the bag."""

    def read(self, name: str) -> bytes:
        """Return a member's bytes by its path in the bag; raise FormatError if it is missing or damaged."""
        member = self.members.get(f"{self.recording}/{name}")
        if member is None:
            raise FormatError(f"{name} is missing")
        if member.size > MAX_MEMBER_BYTES:
            raise FormatError(f"{name}: {member.size} bytes are more than it can have")
        data = read_member(self.file, member)
        self.digests[name] = digest(data)
        return data

    def has(self, name: str) -> bool:
        """Tell whether there is a member of this path."""
        return f"{self.recording}/{name}" in self.members

    def size(self, name: str) -> int:
        """Return how many bytes a member has."""
        return self.members[f"{self.recording}/{name}"].size

    def names(self) -> list[str]:
        """Return every path in the bag, in the ZIP's order."""
        return [name.removeprefix(f"{self.recording}/") for name in self.members]


def check_names(bag: Bag, expected: list[str]) -> None:
    """Raise FormatError unless the members are exactly `expected`, in order."""
    found = bag.names()
    for wanted, name in zip(expected, found, strict=False):
        if wanted != name:
            what = "is missing" if wanted not in found else "is not in its place"
            raise FormatError(f"{wanted} {what}; {name} stands there")
    if len(found) < len(expected):
        raise FormatError(f"{expected[len(found)]} is missing")
    if len(found) > len(expected):
        raise FormatError(f"{found[len(expected)]} does not belong to this recording")


def check_bag(bag: Bag, receipt: Receipt) -> str:
    """Check all tag files against the payload, and return what was checked."""
    payload = [name for name in bag.names() if name.startswith("data/")]
    for name in PAYLOAD:
        if name not in bag.digests:
            bag.read(name)
    listed = manifest((name, bag.digests[name]) for name in payload)
    sizes = [bag.size(name) for name in payload]
    info = bag_info(bag.recording, receipt.outcome, receipt.sealed_at, sizes)
    line = bag.read("receipt.tsv")
    expected = dict(zip(TAG_FILES, (BAGIT, info, listed, tag_manifest(info, listed, line), line), strict=True))
    for name, data in expected.items():
        if bag.read(name) != data:
            raise FormatError(f"{name} is not what the payload makes it")
    if receipt.manifest_sha256 != digest(listed):
        raise FormatError("manifest-sha256.txt is not the one that the receipt names")
    return f"the BagIt manifests name each of the {len(payload)} payload files with its digest"
