"""The pages' addresses: random identifiers, and no names of people or rooms."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter
from django.views.generic import RedirectView

from archive.accounts import views as accounts
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
    path("rooms/", rooms.rooms, name="rooms"),
    path("rooms.json", rooms.rooms_json, name="rooms-json"),
    path("recordings/", recordings.recordings, name="recordings"),
    path(ONE, recording.recording, name="recording"),
    path(f"{ONE}custody/", recording.custody, name="custody"),
    path(f"{ONE}audio.wav", audio.audio, name="audio"),
    path(f"{ONE}verify/", verify.verify, name="verify"),
    path(f"{ONE}copies/", copies.export, name="export"),
    path(f"{ONE}package.zip", copies.package, name="package"),
    path(f"{ONE}audio.flac", copies.plain_audio, name="flac"),
    path(f"{ONE}receipt.tsv", copies.receipt, name="receipt"),
]
