"""Addresses of recordings: random identifiers, and no names of people or rooms (promise 7)."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path, register_converter

from .views import audio, copies, fixity, recording, recordings, slip, verify


class RecordingConverter:
    """An identifier of 32 lower-case hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return it as it is."""
        return value


register_converter(RecordingConverter, "recording")

ONE: Final = "recordings/<recording:recording>/"
urlpatterns: list[URLPattern] = [
    path("recordings/", recordings.recordings, name="recordings"),
    path("package-checks/", fixity.fixity, name="fixity"),
    path(ONE, recording.recording, name="recording"),
    path(f"{ONE}custody/", recording.custody, name="custody"),
    path(f"{ONE}audio.wav", audio.audio, name="audio"),
    path(f"{ONE}slip/", slip.slip, name="slip"),
    path(f"{ONE}verify/", verify.verify, name="verify"),
    path(f"{ONE}verification/", verify.verification, name="verification"),
    path(f"{ONE}verification.json", verify.verification_json, name="verification-json"),
    path(f"{ONE}copies/", copies.export, name="export"),
    path(f"{ONE}package.zip", copies.package, name="package"),
    path(f"{ONE}audio.flac", copies.plain_audio, name="flac"),
    path(f"{ONE}receipt.tsv", copies.receipt, name="receipt"),
]
