"""Files that forms send: kept in memory, of a size that is bounded, and never on a disk.

A scan of a signed paper that lay on a disk in plain, if only for a second, could be found there after its destruction.
So Django's own handler, which puts what is larger than 2.5 MB into a temporary file, is not used.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

FORM: Final = 256 << 10
"""Longest form without a file, in bytes: a parent's statement of 20,000 characters, in any script, as browsers send it
(percent-encoded, a character of four bytes has twelve)."""
LARGEST: Final = 10 << 20
"""Size of the largest file that a form takes, in bytes."""
FORM_WITH_FILE: Final = 16 << 20
"""Longest form with a file, in bytes: one whose file is too large arrives, so that what was typed is not lost."""


class InMemory(FileUploadHandler):
    """Takes a file into memory; of one that is larger than LARGEST it counts the bytes and keeps none."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._file, self._size = BytesIO(), 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._file, self._size = BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - Django calls it so
        """Take a part of it."""
        self._size += len(raw_data)
        if self._size > LARGEST:
            self._file = BytesIO()
        else:
            self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """Return the file. One that is too large is empty and says its size, by which `UploadField` refuses it."""
        self._file.seek(0)
        return InMemoryUploadedFile(
            self._file, self.field_name, self.file_name, self.content_type, file_size, self.charset,
            self.content_type_extra,
        )  # fmt: skip


class UploadField(forms.FileField):
    """A file of a form. Every field for a file is one: it alone tells a file that was too large to be kept."""

    default_error_messages = {"too-large": _("The file is larger than {most} MB. Choose a smaller one.")}  # noqa: RUF012 - the base class declares no class variable

    def __init__(self, *, most: int = LARGEST, **options: Any) -> None:
        """Take at most `most` bytes."""
        super().__init__(**options)
        self.most = min(most, LARGEST)

    def to_python(self, data: Any) -> Any:
        """Return the file; refuse one that is too large before a byte of it is read."""
        file = super().to_python(data)
        if file is not None and file.size > self.most:
            told = str(self.error_messages["too-large"]).format(most=self.most >> 20)
            raise forms.ValidationError(told, code="too-large")
        return file
