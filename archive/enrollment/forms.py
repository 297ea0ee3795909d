"""What IT types about a new box."""

from __future__ import annotations

from typing import Any, Literal

from django import forms

from archive.rooms.models import Room

from .claim_file import Hardware


class HardwareForm(forms.Form):
    """What a box is made of."""

    hardware = forms.ChoiceField(
        choices=[("usb", "a USB microphone"), ("i2s", "a microphone on the board's I2S pins")],
        label="Microphone",
        initial="usb",
    )
    lamp_seen = forms.BooleanField(label="The lamp's sensor is wired", required=False, initial=True)
    mic_rail = forms.BooleanField(label="The sense of the microphone's supply is wired", required=False, initial=True)

    def made_of(self) -> Hardware:
        """Return what was chosen."""
        typed = self.cleaned_data
        microphone: Literal["usb", "i2s"] = typed["hardware"]
        return Hardware(microphone, typed["lamp_seen"], typed["mic_rail"])


class ClaimForm(HardwareForm):
    """For which room a claim is, and what the box is made of."""

    room = forms.CharField(
        max_length=120,
        help_text="As it stands on the door. It is made if it is new, and stands in this archive only.",
        widget=forms.TextInput(attrs={"list": "rooms", "autocomplete": "off"}),
    )
    field_order = ("room",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rooms = list(Room.objects.values_list("name", flat=True))
        """Names to choose from."""


class ClaimFileForm(forms.Form):
    """A claim that was just shown, sent back so that its file can be made: the archive keeps no claim's text."""

    claim = forms.CharField(max_length=40, widget=forms.HiddenInput)
    hardware = forms.ChoiceField(choices=[("usb", "usb"), ("i2s", "i2s")], widget=forms.HiddenInput)
    lamp_seen = forms.BooleanField(required=False, widget=forms.HiddenInput)
    mic_rail = forms.BooleanField(required=False, widget=forms.HiddenInput)
