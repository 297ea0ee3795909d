"""Disclosures: views parse and show, deeds change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.outside_recordings.either import (
    Either,
    about_either,
    called_either,
    check_either_kept,
    find_named,
    named,
    page_of,
    students_of,
)
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.pdf import pdf_of
from archive.records.redactions.models import Redaction
from archive.records.redactions.reach import signed_off
from archive.records.requests.models import AccessRequest
from archive.ui.breadcrumbs import Crumb

from . import deeds, notice_deeds
from .copies import copy_of
from .describe import MISSING
from .forms import ConsentForm, DisclosureForm, NoticeForm, NoticeLetterForm, OutsideDisclosureForm, RecordedForm
from .models import Basis, Consent, Copy, Disclosure, Recorded
from .papers.receipt import receipt_html
from .reach import facts_of, not_named
from .rules import NOTICED, copies_wanted, district_gate, ferpa_gate, missing_names, untold

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200


@require_safe
def disclosures(request: HttpRequest) -> HttpResponseBase:
    """Show what is prepared, and what went out."""
    user = user_of(request)
    near = about_either(reach_of(user, Deed.DISCLOSE))
    found = Disclosure.objects.filter(near).select_related("recording", "outside")
    context = {
        "place": "disclosures",
        "prepared": found.filter(handed_at=None, withdrawn_at=None)[: SHOWN * 2],
        "done": found.exclude(handed_at=None)[:SHOWN],
    }
    return render(request, "disclosures/disclosures.html", context)


@_SENT
def disclosure_new(request: HttpRequest, **address: str) -> HttpResponseBase:
    """Prepare a disclosure."""
    row = find_named(**address)
    check_either_kept(row)
    form = _disclosure_form(request, row)

    def act() -> str:
        made = deeds.prepare(row.pk, form.facts(), by=user_of(request))
        messages.success(request, _("The disclosure was prepared. No copy leaves before both gates let it through."))
        return reverse("pages:disclosure", args=[made.pk])

    frame = _frame(_("Disclose a recording"), page_of(row)) | {"submit": _("Prepare it")}
    return form_page(request, form, act, context=frame | {"intro": f"{called_either(row)}."})


def _disclosure_form(request: HttpRequest, row: Either) -> OutsideDisclosureForm:
    initial = _asked_for(request)
    if isinstance(row, OutsideRecording):
        return OutsideDisclosureForm(posted(request), initial=initial | {"what": Copy.FILE})
    form = DisclosureForm(posted(request), initial=initial)
    field = form.fields["redaction"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    field.queryset = Redaction.objects.filter(signed_off(row.pk))
    return form


def _asked_for(request: HttpRequest) -> dict[str, object]:
    """Return what the page that led here says: a parent's request that is answered by a copy, or a redacted copy."""
    initial: dict[str, object] = {}
    if redaction := _uuid(request.GET.get("redaction", "")):
        initial |= {"redaction": redaction, "what": Copy.AUDIO}
    case = _uuid(request.GET.get("request", ""))
    if case is not None and may(user_of(request), Deed.REQUESTS, Subject.case(case)).allowed:
        found = AccessRequest.objects.select_related("person").filter(pk=case).first()
        if found is not None:
            purpose = _("Inspection and review by a parent (34 CFR 99.10)")
            initial |= {"party": str(found.person), "purpose": purpose, "basis": Basis.OWN, "what": Copy.AUDIO}
    return initial


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_safe
def disclosure(request: HttpRequest, disclosure: UUID) -> HttpResponseBase:
    """Show a disclosure, and what each gate lacks."""
    row = _disclosure(disclosure)
    facts = facts_of(row)
    first, second = ferpa_gate(facts), district_gate(facts)
    context = {
        "place": "disclosures",
        "breadcrumbs": [_crumb()],
        "row": row,
        "addresses": _addresses(row),
        "open": row.handed_at is None and row.withdrawn_at is None and row.about.destroyed_at is None,
        "first": [MISSING[one] for one in first],
        "second": [MISSING[one] for one in second],
        "names": missing_names(facts),
        "told": row.told.select_related("student"),
        "untold": [one for one in students_of(row.about_pk) if str(one.pk) in untold(facts)],
        "copies": copies_wanted(facts),
        "through": not first and not second and row.withdrawn_at is None and row.about.destroyed_at is None,
        "consents": _consents(row),
        "recorded": Recorded.objects.filter(named(row.about_pk)),
        "noticed": row.basis in NOTICED,
    }
    return render(request, "disclosures/disclosure.html", context)


@_SENT
def consent_new(request: HttpRequest, **address: str) -> HttpResponseBase:
    """Enter a parent's consent."""
    row = find_named(**address)
    check_either_kept(row)
    form = ConsentForm(posted(request), request.FILES if request.method == "POST" else None)
    field = form.fields["student"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
    field.queryset = students_of(row.pk)

    def act() -> str:
        deeds.enter_consent(row.pk, form.given(), by=user_of(request))
        messages.success(request, _("The consent was entered."))
        return _back(row)

    return form_page(request, form, act, context=_frame(_("Enter a consent"), _back(row)))


@_SENT
def consent_withdraw(request: HttpRequest, consent: UUID, **address: str) -> HttpResponseBase:
    """Enter that a consent was withdrawn."""
    found = find_named(**address)
    row = Consent.objects.select_related("person").defer("scan").filter(named(found.pk), pk=consent).first()
    if row is None:
        raise UnknownRecordError("there is no such consent here")
    form = forms.Form(posted(request))

    def act() -> str:
        deeds.withdraw_consent(found.pk, consent, by=user_of(request))
        messages.success(request, _("The consent was withdrawn. Nothing more goes out on it."))
        return _back(found)

    context = _frame(_("Withdraw a consent"), _back(found)) | {
        "submit": _("It was withdrawn"),
        "question": _("The consent of {person}, to {party}.").format(person=row.person, party=row.party),
        "consequences": [_("Copies that went out before are out of reach.")],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def recorded(request: HttpRequest, **address: str) -> HttpResponseBase:
    """Enter who was recorded, and who consented in writing."""
    row = find_named(**address)
    check_either_kept(row)
    form = RecordedForm(posted(request), initial={"name": request.GET.get("name", "")[:200]})

    def act() -> str:
        typed = form.cleaned_data
        deeds.enter_recorded(row.pk, typed["name"], typed["consented_on"], typed["proof"], by=user_of(request))
        messages.success(request, _("It was entered."))
        return request.path

    context = _frame(_("Who was recorded?"), _back(row)) | {
        "recorded": Recorded.objects.filter(named(row.pk)),
        "noted": not_named(row.pk),
    }
    return form_page(request, form, act, "disclosures/recorded.html", context)


@_SENT
def notice(request: HttpRequest, disclosure: UUID) -> HttpResponseBase:
    """Enter when the parent was told."""
    row = _disclosure(disclosure)
    form = NoticeForm(row, posted(request), initial={"waits_until": row.waits_until, "exempt": row.exempt})

    def act() -> str:
        notice_deeds.enter_notice(disclosure, form.notice(), by=user_of(request))
        messages.success(request, _("It was entered."))
        return reverse("pages:disclosure", args=[disclosure])

    return form_page(request, form, act, context=_below(_("Notice to the parent"), row))


@_SENT
def notice_letter(request: HttpRequest, disclosure: UUID) -> HttpResponseBase:
    """Write the letter that tells a parent before a compelled production or a transfer."""
    row = _disclosure(disclosure)
    form = NoticeLetterForm(posted(request), initial={"until": row.waits_until})

    def act() -> str:
        typed = form.cleaned_data
        made = notice_deeds.write_notice(
            disclosure, typed["person"], typed["language"], typed["until"], by=user_of(request)
        )
        messages.success(
            request, _("The letter was made. Print it, deliver it, and enter here when the parent was told.")
        )
        return reverse("pages:letter", args=[made.pk])

    context = _below(_("Tell a parent"), row) | {"submit": _("Make the letter")}
    return form_page(request, form, act, context=context)


@_SENT
def withdraw(request: HttpRequest, disclosure: UUID) -> HttpResponseBase:
    """Withdraw a disclosure."""
    row, form = _disclosure(disclosure), forms.Form(posted(request))

    def act() -> str:
        deeds.withdraw(disclosure, by=user_of(request))
        messages.success(request, _("The disclosure was withdrawn."))
        return reverse("pages:disclosures")

    context = _below(_("Withdraw a disclosure"), row) | {
        "submit": _("Withdraw it"),
        "question": _("No copy leaves for {party} then.").format(party=row.party),
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@require_safe
def copy(request: HttpRequest, disclosure: UUID) -> HttpResponseBase:
    """Hand out the copy, if both gates let it through; an entry stands before its first byte."""
    row, user = _disclosure(disclosure), user_of(request)
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip")
    try:
        row = deeds.begin_copy(disclosure, by=user)
    except DeedError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("pages:disclosure", args=[disclosure]))
    answer = StreamingHttpResponse(copy_of(row, user), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="disclosure-{str(row.pk)[:8]}.zip"'
    return answer


@require_safe
def receipt(request: HttpRequest, disclosure: UUID) -> HttpResponseBase:
    """Hand out the receipt as a tagged PDF file, to be signed by whoever takes the copy."""
    row = _disclosure(disclosure)
    if row.handed_at is None:
        messages.error(request, _("There is a receipt once the copy was taken out."))
        return HttpResponseRedirect(reverse("pages:disclosure", args=[disclosure]))
    answer = HttpResponse(pdf_of(receipt_html(row)), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="receipt-{str(row.pk)[:8]}.pdf"'
    return answer


def _disclosure(pk: UUID) -> Disclosure:
    rows = Disclosure.objects.select_related("recording", "outside", "prepared_by", "handed_by", "redaction__signed_by")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such disclosure here")
    return row


def _consents(row: Disclosure) -> list[tuple[Consent, str]]:
    """Return the consents to disclose its recording, each with the address where it is withdrawn."""
    found = Consent.objects.filter(named(row.about_pk)).select_related("person", "student").defer("scan")
    return [(one, _address(row, "consent-withdraw", one.pk)) for one in found]


def _addresses(row: Disclosure) -> dict[str, str]:
    """Return where consents and those who were recorded are entered."""
    return {"consent": _address(row, "consent-new"), "recorded": _address(row, "recorded")}


def _address(row: Disclosure, name: str, *more: object) -> str:
    """Return the address of this name of its recording, whoever made that."""
    return reverse(f"pages:{name}-outside" if row.outside_id else f"pages:{name}", args=[row.about_pk, *more])


def _back(recording: Either) -> str:
    """Return the page of the recording's last disclosure, or of the recording."""
    row = Disclosure.objects.filter(named(recording.pk), withdrawn_at=None).first()
    return reverse("pages:disclosure", args=[row.pk]) if row else page_of(recording)


def _crumb() -> Crumb:
    return Crumb(_("Disclosures"), reverse("pages:disclosures"))


def _frame(heading: str, cancel: str) -> dict[str, Any]:
    return {
        "place": "disclosures",
        "heading": heading,
        "submit": _("Save"),
        "cancel": cancel,
        "breadcrumbs": [_crumb()],
    }


def _below(heading: str, row: Disclosure) -> dict[str, Any]:
    there = reverse("pages:disclosure", args=[row.pk])
    return _frame(heading, there) | {"breadcrumbs": [_crumb(), Crumb(row.party, there)]}
