"""The pages' addresses: random identifiers, and no names of people or rooms."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter
from django.views.generic import RedirectView

from archive.accounts import views as accounts
from archive.core.errors import plainly
from archive.recordings.views import audio, copies, recording, recordings, verify
from archive.rooms import views as rooms


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

app_name = "pages"
ONE = "recordings/<recording:recording>/"
urlpatterns: list[URLPattern] = [
    path("", RedirectView.as_view(pattern_name="pages:rooms"), name="first"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign-out"),
    path("rooms/", plainly(rooms.rooms), name="rooms"),
    path("rooms.json", plainly(rooms.rooms_json, json=True), name="rooms-json"),
    path("recordings/", plainly(recordings.recordings), name="recordings"),
    path(ONE, plainly(recording.recording), name="recording"),
    path(f"{ONE}custody/", plainly(recording.custody), name="custody"),
    path(f"{ONE}audio.wav", plainly(audio.audio), name="audio"),
    path(f"{ONE}verify/", plainly(verify.verify), name="verify"),
    path(f"{ONE}copies/", plainly(copies.export), name="export"),
    path(f"{ONE}package.zip", plainly(copies.package), name="package"),
    path(f"{ONE}audio.flac", plainly(copies.plain_audio), name="flac"),
    path(f"{ONE}receipt.tsv", plainly(copies.receipt), name="receipt"),
]
