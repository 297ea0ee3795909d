"""Pages with one form: what was typed is kept, a deed's refusal stands at its field, a second sending is harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render

from archive.accounts.typed import fill
from archive.core.deeds import one_deed
from archive.core.once import once

from .errors import DeedError, UnknownRecordError


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form sent, however empty it is, or None where the page was only asked for."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: HttpRequest,
    form: forms.BaseForm,
    act: Callable[[], str],
    template: str = "records/form.html",
    context: Mapping[str, Any] | None = None,
) -> HttpResponseBase:
    """Show `form`, or if it was sent and is right, call `act` and go to the address that it returns."""
    if request.method == "POST" and form.is_valid():
        try:
            with one_deed():
                return once(request, act)
        except UnknownRecordError:
            raise
        except DeedError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    if not form.is_bound:
        fill(request, form)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, template, {"form": form, **(context or {})}, status=status)
