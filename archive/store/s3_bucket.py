"""One S3 bucket, as far as the archive uses it: whole objects, their versions, and their locks.

The only module that knows boto3. Whatever goes wrong on the way is a StorageError in words. Nothing is believed because
the server said yes: who must know looks at what is there afterwards.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from appliance.contract.errors import SettingsError, StorageError
from archive.configuration.fields import read_secret
from archive.configuration.storage import S3

CONNECT_S: Final = 5
"""How long a connection may take to be made, in seconds."""
TRIES: Final = 3
"""How often a request that failed on the way, or was answered 5xx, is made in all; each of ours may be repeated."""
LARGEST: Final = 5 * 2**30
"""Bytes that one PUT may bring (Amazon S3 User Guide, "Uploading objects": 5 GB, which are counted as GiB)."""
CHUNK: Final = 8 << 20
"""Bytes of one request where a whole object is read."""
Mode = Literal["GOVERNANCE", "COMPLIANCE"]
_NOT_THERE: Final = {"404", "NoSuchKey", "NoSuchVersion"}
_TAKEN: Final = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_CLOCK: Final = {"RequestTimeTooSkewed"}
_REFUSED: Final = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


class RefusedError(StorageError):
    """The server answered, and its answer is no."""


@dataclass(frozen=True)
class Access:
    """A pair of keys."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    id: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Lock:
    """How long a version must stay."""

    mode: Mode
    until: datetime


@dataclass(frozen=True)
class Described:
    """What the server says of a version."""

    size: int
    """Bytes."""
    sha256: str
    """The checksum that it keeps beside it, in hexadecimal; empty if it keeps none."""
    mode: str
    """Of its lock; empty if there is none."""
    until: datetime | None
    """Until when it is locked."""
    held: bool = False
    """Whether a legal hold keeps it, whatever its lock says."""


def read_access(settings: S3, field: Literal["credentials_file", "destruction_credentials_file"]) -> Access:
    """Return the keys in a file as AWS' own tools write it; raise SettingsError that names the setting."""
    name = f"store.s3.{field}"
    text = read_secret(getattr(settings, field), name)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        found = parser["default"]
        return Access(found["aws_access_key_id"], found["aws_secret_access_key"])
    except (configparser.Error, KeyError) as error:
        raise SettingsError(
            "this file must have the lines [default], aws_access_key_id = ... and aws_secret_access_key = ...",
            field=name,
        ) from error


@contextlib.contextmanager
def told_as(what: str) -> Iterator[None]:
    """Turn what boto3 says about `what` into a StorageError, or a RefusedError where the server itself said no."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        said = " ".join(str(error).split())
        if code in _CLOCK:
            raise StorageError(f"S3 refused {what}: this host's clock or the server's is wrong; set it") from error
        if status >= 500:
            raise StorageError(f"S3 failed at {what}: {said}; it is tried again later") from error
        hint = "; look at the credentials and what they may do" if code in _REFUSED else ""
        raise RefusedError(f"S3 refused {what}: {said}{hint}") from error
    except (BotoCoreError, ResponseParserError, OSError) as error:
        said = " ".join(str(error).split())
        raise StorageError(f"S3 did not answer as it should at {what}: {said}; look at the network to it") from error


@dataclass(frozen=True)
class Bucket:
    """A bucket, reached with one pair of keys."""

    client: Any
    """boto3's client; it may be used by several threads."""
    name: str
    key_id: str
    """Which pair of keys it is reached with."""

    @classmethod
    def connect(cls, settings: S3, access: Access) -> Bucket:
        """Return the bucket of the settings; nothing is sent yet."""
        config = Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_S,
            read_timeout=settings.answer_s,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            s3={"addressing_style": "path"},
            max_pool_connections=32,
            # ours is SHA-256, which is sent with each object; not every server knows boto3's own default
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        with told_as(settings.endpoint):
            client = _session().client(
                "s3",
                aws_access_key_id=access.key_id,
                aws_secret_access_key=access.secret,
                region_name=settings.region,
                endpoint_url=settings.endpoint,
                verify=str(settings.ca) if settings.ca else True,
                config=config,
            )
        return cls(client, settings.bucket, access.key_id)

    def keeps_versions(self) -> bool:
        """Tell whether the bucket says that it keeps versions."""
        with told_as(f"the bucket {self.name}"):
            return bool(self.client.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled")

    def locks(self) -> bool:
        """Tell whether the bucket says that Object Lock is on."""
        try:
            with told_as(f"the bucket {self.name}"):
                found = self.client.get_object_lock_configuration(Bucket=self.name)
        except RefusedError as refused:
            cause = refused.__cause__
            code = cause.response["Error"].get("Code") if isinstance(cause, ClientError) else ""
            if code == "ObjectLockConfigurationNotFoundError":
                return False
            raise
        return bool(found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the name of each object below `prefix` of which there is a version, hidden by a mark or not."""
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the same names, each with the size of its oldest version: that one counts, as in `first`."""
        last: tuple[str, int] | None = None
        for page in self._pages(prefix):
            for one in page.get("Versions", []):
                # the list is by name, and by age from the newest version to the oldest
                if last is not None and one["Key"] != last[0]:
                    yield last
                last = (one["Key"], int(one["Size"]))
        if last is not None:
            yield last

    def first(self, key: str) -> Version | None:
        """Return the oldest version of an object: what was written over it, or hides it, came later and counts not."""
        oldest: Version | None = None
        for page in self._pages(key):
            for one in page.get("Versions", []):
                if one["Key"] == key:
                    oldest = Version(str(one.get("VersionId", "null")), int(one["Size"]))
        return oldest

    def put(self, key: str, body: BinaryIO, sha256: str, lock: Lock | None, *, once: bool = True) -> str | None:
        """Write an object by one request, with its checksum and its lock; return its version, None if `key` is taken.

        `once` False leaves out the condition that nothing has this name: only the proof of the lock does so.
        """
        members: dict[str, Any] = {"IfNoneMatch": "*"} if once else {}
        if lock is not None:
            members |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until}
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
        try:
            with told_as(key):
                answer = self.client.put_object(
                    Bucket=self.name, Key=key, Body=body, ChecksumSHA256=checksum, **members
                )
        except RefusedError as refused:
            cause = refused.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"].get("Code") in _TAKEN:
                return None
            raise
        return str(answer.get("VersionId", "null"))

    def describe(self, key: str, version: str) -> Described | None:
        """Return what the server says of a version; None if it is not there."""
        try:
            with told_as(key):
                found = self.client.head_object(Bucket=self.name, Key=key, VersionId=version, ChecksumMode="ENABLED")
        except RefusedError as refused:
            if _is_missing(refused):
                return None
            raise
        checksum = found.get("ChecksumSHA256", "")
        return Described(
            size=int(found["ContentLength"]),
            sha256=base64.b64decode(checksum).hex() if checksum else "",
            mode=str(found.get("ObjectLockMode", "")),
            until=found.get("ObjectLockRetainUntilDate"),
            held=found.get("ObjectLockLegalHoldStatus") == "ON",
        )

    def read_range(self, key: str, version: str, offset: int, size: int) -> bytes | None:
        """Return at most `size` bytes of a version from `offset` on; None if the version is not there."""
        if size == 0:
            return b""
        try:
            with told_as(key):
                found = self.client.get_object(
                    Bucket=self.name, Key=key, VersionId=version, Range=f"bytes={offset}-{offset + size - 1}"
                )
                with contextlib.closing(found["Body"]) as body:
                    # a server that ignores ranges answers with the whole object from its begin
                    if "ContentRange" not in found and offset:
                        raise StorageError(f"S3 ignores ranges: it answered with all of {key}")
                    data: bytes = body.read(size)
        except RefusedError as refused:
            if _is_missing(refused):
                return None
            raise
        return data

    def delete(self, key: str, version: str | None, *, bypass: bool = False) -> None:
        """Ask for the removal of a version, or without one for a mark that hides the object; see whether it went."""
        members: dict[str, Any] = {} if version is None else {"VersionId": version}
        if bypass:
            members["BypassGovernanceRetention"] = True
        with told_as(key):
            self.client.delete_object(Bucket=self.name, Key=key, **members)

    def versions_and_marks(self, key: str) -> list[str]:
        """Return every version of an object and every mark that hides it, newest first."""
        return [
            str(one.get("VersionId", "null"))
            for page in self._pages(key)
            for kind in ("Versions", "DeleteMarkers")
            for one in page.get(kind, [])
            if one["Key"] == key
        ]

    def set_lock(self, key: str, version: str, lock: Lock | None, *, bypass: bool = False) -> None:
        """Ask for another lock, or for none: the proof of the lock does so, and looks at what came of it."""
        retention = {} if lock is None else {"Mode": lock.mode, "RetainUntilDate": lock.until}
        with told_as(key):
            self.client.put_object_retention(
                Bucket=self.name,
                Key=key,
                VersionId=version,
                Retention=retention,
                **({"BypassGovernanceRetention": True} if bypass else {}),
            )

    def set_legal_hold(self, key: str, version: str, *, on: bool) -> None:
        """Ask that a version be kept whatever its lock says, or no longer; who must know looks at what came of it."""
        with told_as(key):
            self.client.put_object_legal_hold(
                Bucket=self.name, Key=key, VersionId=version, LegalHold={"Status": "ON" if on else "OFF"}
            )

    def _pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        with told_as(f"the list of {prefix or self.name}"):
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
                # an empty list is how a removal is seen to have worked, so it must be the list that was asked for
                if page.get("Name") != self.name:
                    raise StorageError(f"the answer is no list of the bucket {self.name}; look at the network to it")
                yield page


@cache
def _session() -> Any:
    """Return boto3's session: one for all clients, since each of its own would read what S3 is once more."""
    return boto3.session.Session()


def _is_missing(refused: RefusedError) -> bool:
    cause = refused.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"].get("Code") in _NOT_THERE
