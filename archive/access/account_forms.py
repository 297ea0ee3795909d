"""Forms of the accounts' pages."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.accounts.models import MAX_USERNAME


class RoleForm(forms.Form):
    """A role to hand out."""

    role = forms.ChoiceField(label=_("Role"), required=False)

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is declared above
        field.choices = [("", _("none yet")), *((role, role) for role in roles)]


EVERYTHING: Final = "everything"
"""The choice of all that was granted over the whole district."""


class RoleEndForm(forms.Form):
    """What to take back of what somebody may do over the whole district."""

    taken = forms.ChoiceField(label=_("Take back"))

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["taken"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is declared above
        everything = (EVERYTHING, _("everything over the whole district"))
        field.choices = [("", _("choose")), *((role, role) for role in roles), everything]

    def role(self) -> str:
        """Return the role, empty for everything."""
        taken: str = self.cleaned_data["taken"]
        return "" if taken == EVERYTHING else taken


class NewAccountForm(RoleForm):
    """Who is to have an account."""

    username = forms.CharField(
        label=_("Name to sign in with"),
        max_length=MAX_USERNAME,
        help_text=_("Letters, digits and @ . + - _ only, without spaces."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(
        label=_("Name as colleagues read it"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("username", "display_name", "role")
