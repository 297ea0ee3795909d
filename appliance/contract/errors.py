"""The errors that people and programs may meet, each with a stable code and a sentence on what to do next."""

from __future__ import annotations

from typing import Any, ClassVar


class PlainSightError(Exception):
    """Anything that we report on purpose.

    `code` is stable and machine-readable; `field` names the offending setting, member or argument, where there is one.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def as_json(self) -> dict[str, Any]:
        """Return the error's form on the network (docs/format.md section 3)."""
        return {"error": {"code": self.code, "message": self.message, "field": self.field}}


class SettingsError(PlainSightError):
    """A configuration file or an argument is wrong."""

    code = "bad-setting"


class FormatError(PlainSightError):
    """Bytes are not what docs/format.md says."""

    code = "bad-format"


class SignatureError(FormatError):
    """A signature does not fit the bytes, or the key is not one that was expected."""

    code = "bad-signature"
    status = 403


class DigestError(FormatError):
    """Bytes do not have the promised digest or size."""

    code = "bad-digest"


class OrderError(FormatError):
    """A line or segment is not the one that must come next."""

    code = "bad-order"
    status = 409


class ConflictError(PlainSightError):
    """Other bytes are already in that place."""

    code = "conflict"
    status = 409


class NotEnrolledError(PlainSightError):
    """The archive does not know this box."""

    code = "not-enrolled"
    status = 403


class UnknownRecordingError(PlainSightError):
    """The archive has no such recording."""

    code = "unknown-recording"
    status = 404


class UnsealableError(PlainSightError):
    """A recording is, or may become, larger than any package can hold, so that it can never be sealed."""

    code = "unsealable"
    status = 413


class NotSealedError(PlainSightError):
    """There is no receipt yet, because the recording is not sealed."""

    code = "not-sealed"
    status = 404


class TooLargeError(PlainSightError):
    """A body is larger than its kind can be."""

    code = "too-large"
    status = 413


class KeyFileError(PlainSightError):
    """A key file is missing, unreadable or not a key."""

    code = "bad-key"


class DecryptionError(PlainSightError):
    """Something encrypted cannot be decrypted with the keys at hand."""

    code = "cannot-decrypt"


class StorageError(PlainSightError):
    """A disk failed, or is too slow to be relied on."""

    code = "storage"
    status = 503


class DeviceError(PlainSightError):
    """A microphone, lamp or button is absent, busy or broken."""

    code = "device"
    status = 503
