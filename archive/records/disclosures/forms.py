"""What people type about disclosures."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from archive.core.uploads import UploadField
from archive.records.outside_recordings.either import students_of
from archive.records.people.choices import PersonChoice
from archive.records.people.models import Language, Student
from archive.records.redactions.models import Redaction
from archive.records.text import DayField, LineField, LinesField

from .deeds import MOST_BYTES, ConsentGiven, DisclosureFacts
from .models import EXEMPT_OF, OF_BOX, OF_BROUGHT, Basis, Copy, Disclosure, HowSigned
from .notice_deeds import Notice


class OutsideDisclosureForm(forms.Form):
    """What of a recording that no box made shall leave, for whom, and why: all of it leaves, or nothing."""

    party = LineField(max_length=200, label=_("To whom"))
    purpose = LineField(max_length=500, label=_("Purpose"))
    what = forms.ChoiceField(
        choices=[(one.value, one.label) for one in OF_BROUGHT],
        widget=forms.RadioSelect,
        label=_("What"),
        initial=Copy.FILE,
    )
    basis = forms.ChoiceField(choices=Basis.choices, widget=forms.RadioSelect, label=_("On what ground"))
    explanation = LinesField(
        required=False,
        rows=3,
        max_length=4000,
        label=_("Explanation"),
        help_text=_("Of an exception: court, number and day of the order; the contract; the emergency."),
    )
    recipient = LineField(
        required=False,
        max_length=62,
        label=_("The other archive's recipient"),
        help_text=_("Only for a transfer: age1..."),
    )

    def facts(self) -> DisclosureFacts:
        """Return what was typed."""
        typed = self.cleaned_data
        return DisclosureFacts(
            what=Copy(typed["what"]),
            recipient=typed["recipient"],
            party=typed["party"],
            purpose=typed["purpose"],
            basis=Basis(typed["basis"]),
            explanation=typed["explanation"],
            redaction=typed.get("redaction"),
        )


class DisclosureForm(OutsideDisclosureForm):
    """What of a box's recording shall leave, for whom, and why."""

    what = forms.ChoiceField(
        choices=[(one.value, one.label) for one in OF_BOX], widget=forms.RadioSelect, label=_("What")
    )
    redaction = forms.ModelChoiceField(
        Redaction.objects.none(),
        required=False,
        empty_label=_("no: the recording as it is"),
        label=_("A redacted copy instead"),
        help_text=_("Those that a second listener signed off; only of the audio."),
    )
    field_order = ("party", "purpose", "what", "redaction", "basis", "explanation", "recipient")


class ConsentForm(forms.Form):
    """A parent's consent, with every field of 34 CFR 99.30."""

    student = forms.ModelChoiceField(Student.objects.none(), label=_("Student"), empty_label=None)
    person = PersonChoice(
        label=_("Signed by"), help_text=_("Somebody who holds rights over the records; the whole name.")
    )
    records = LineField(max_length=500, label=_("Records that it names"))
    purpose = LineField(
        max_length=500, label=_("Purpose that it names"), help_text=_("Word for word as in the disclosure.")
    )
    party = LineField(
        max_length=200, label=_("Party that it names"), help_text=_("Word for word as in the disclosure.")
    )
    signed_on = DayField(label=_("Signed on"))
    how = forms.ChoiceField(choices=HowSigned.choices, widget=forms.RadioSelect, label=_("How"))
    proof = LinesField(
        rows=2,
        max_length=2000,
        label=_("Proof"),
        help_text=_("Where the paper is kept; or how the person was identified and authenticated."),
    )
    approval = LinesField(
        required=False,
        rows=2,
        max_length=2000,
        label=_("What shows the approval"),
        help_text=_("Only of one that was given electronically (34 CFR 99.30(d)(2))."),
    )
    copy_wanted = forms.BooleanField(
        required=False, label=_("The person asks for a copy of what is disclosed (34 CFR 99.30(c))")
    )
    scan = UploadField(
        most=MOST_BYTES,
        required=False,
        label=_("Scan of the paper"),
        help_text=_("PDF, PNG or JPEG, at most 5 MB."),
    )

    def given(self) -> ConsentGiven:
        """Return what was typed."""
        typed: dict[str, Any] = dict(self.cleaned_data)
        scan = typed.pop("scan")
        data = scan.read(MOST_BYTES + 1) if scan is not None else None
        return ConsentGiven(**{**typed, "how": HowSigned(typed["how"]), "scan": data})


class RecordedForm(forms.Form):
    """Somebody who was recorded."""

    name = LineField(max_length=200, label=_("Name and part"), help_text=_("As the opening noted it, where it did."))
    consented_on = DayField(required=False, label=_("Consented in writing on"), help_text=_("Empty: not yet."))
    proof = LinesField(required=False, rows=2, max_length=2000, label=_("Where the paper is"))


class NoticeForm(forms.Form):
    """Whose parents were told, and when; or why nobody is."""

    student = forms.ModelChoiceField(
        Student.objects.none(), required=False, empty_label=_("nobody yet"), label=_("Whose parents were told?")
    )
    told_on = DayField(required=False, label=_("They were told on"))
    waits_until = DayField(
        required=False,
        label=_("It waits until"),
        help_text=_("So that the parent can act against it. A reasonable time; ask counsel. It is only moved later."),
    )
    exempt = forms.ChoiceField(required=False, label=_("No notice is needed because of"))

    def __init__(self, row: Disclosure, data: QueryDict | None = None, **given: Any) -> None:
        super().__init__(data, **given)
        students, exempt = self.fields["student"], self.fields["exempt"]
        assert isinstance(students, forms.ModelChoiceField)  # noqa: S101 - told to the type checker
        assert isinstance(exempt, forms.ChoiceField)  # noqa: S101 - the same
        students.queryset = students_of(row.about_pk)
        chosen = EXEMPT_OF.get(Basis(row.basis), ())
        exempt.choices = [("", _("notice is given")), *((one.value, one.label) for one in chosen)]
        if row.basis != Basis.COMPELLED:
            del self.fields["waits_until"]

    def notice(self) -> Notice:
        """Return what was typed."""
        return Notice(**self.cleaned_data)


class NoticeLetterForm(forms.Form):
    """To whom, and in which language, the letter about a disclosure is written."""

    person = PersonChoice(label=_("To"), help_text=_("Somebody who holds rights over the records; the whole name."))
    language = forms.ChoiceField(choices=Language.choices, label=_("Language"))
    until = DayField(
        required=False,
        label=_("It waits until"),
        help_text=_("Of a court's order or a subpoena: the last day on which the parent can act against it."),
    )
