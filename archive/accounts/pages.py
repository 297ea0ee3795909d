"""What the pages of signing in share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .forms import SignInForm


def sign_in_words(
    request: HttpRequest, *, next_page: str = "", typed: str = "", form: SignInForm | None = None
) -> dict[str, Any]:
    """Return what the sign-in page shows; `typed` is what somebody typed before they were signed out, encrypted."""
    provider = settings.ARCHIVE.sign_in.provider
    return {
        "form": form or SignInForm(request),
        "next": next_page,
        "typed": typed,
        "provider_label": provider.label if provider else "",
    }


def refused_page(
    request: HttpRequest, heading: str, message: str, *, subject: str = "", status: int = 403
) -> HttpResponse:
    """Return the page of a sign-in that ends here, with whom to ask, and the `subject` that a custodian may need."""
    words = {"heading": heading, "message": message, "subject": subject}
    return render(request, "accounts/refused.html", words, status=status)
