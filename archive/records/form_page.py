"""Pages with one form: what was typed is kept, a deed's refusal stands at its field, a second sending is harmless."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from http import HTTPStatus
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render

from archive.accounts.typed import fill
from archive.core.deeds import one_deed
from archive.core.once import once
from archive.ui import words

from .errors import DeedError, StaleError, UnknownRecordError


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
    """Show `form`, or if it was sent and is right, call `act` and go to the address that it returns.

    Where somebody else changed the same thing meanwhile, what is saved now is shown beside what was typed, and a second
    sending counts against that.
    """
    present: list[tuple[str, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            with one_deed():
                return once(request, act)
        except UnknownRecordError:
            raise
        except DeedError as error:
            if isinstance(error, StaleError):
                present = _look_again(form)
            form.add_error(error.field if error.field in form.fields else None, error.message)
    if not form.is_bound:
        fill(request, form)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, template, {"form": form, "present": present, **(context or {})}, status=status)


def _look_again(form: forms.BaseForm) -> list[tuple[str, str]]:
    """Let the form be sent against what is saved now; return label and value of each field where that differs.

    The view made `form` anew for this request, so its initial values are those of now.
    """
    assert isinstance(form.data, QueryDict)  # noqa: S101 - told to the type checker: only what was sent can be stale
    data = form.data.copy()
    for bound in form.hidden_fields():
        if bound.name in form.initial:
            data[bound.html_name] = bound.field.prepare_value(form.initial[bound.name])
    form.data = data
    now = form.initial
    differing = [
        bound
        for bound in form.visible_fields()
        if bound.name in now and bound.field.has_changed(now[bound.name], bound.data)
    ]
    return [(str(bound.label), _said(bound.field, now[bound.name])) for bound in differing]


def _said(field: forms.Field, value: Any) -> str:
    """Return a value as people read it."""
    match value:
        case None | "":
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case date():
            return words.day(value)
        case time():
            return f"{value:%I:%M %p}".lstrip("0").lower()
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        return next((label for one, label in _labels(field) if one == str(value)), str(value))
    return str(value)


def _labels(field: forms.ChoiceField) -> Iterator[tuple[str, str]]:
    """Yield what can be chosen, with its words; some choices stand in groups."""
    for value, label in cast("Iterable[tuple[Any, Any]]", field.choices):
        for one, words_of_it in label if isinstance(label, list | tuple) else [(value, label)]:
            yield str(one), str(words_of_it)
