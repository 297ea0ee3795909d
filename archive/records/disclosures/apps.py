"""The disclosures app."""

from __future__ import annotations

from django.apps import AppConfig


class DisclosuresConfig(AppConfig):
    """Disclosure through two gates: FERPA, and the written consent of everybody who was recorded."""

    name = "archive.records.disclosures"

    def ready(self) -> None:
        """Tell whom a disclosure is about, the recording's page, and the parents' record of access."""
        from archive.access.scopes import register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same
        from archive.records.evidence import chapters  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - the same
        from archive.records.requests.record_of_access import register_party  # noqa: PLC0415 - the same

        from .chapters import consent_chapter, disclosure_chapter, recorded_chapter  # noqa: PLC0415 - the same
        from .contribution import contribution  # noqa: PLC0415 - the same
        from .custody_kinds import DISCLOSED  # noqa: PLC0415 - the same
        from .reach import party_of, scopes_of_disclosure  # noqa: PLC0415 - the same

        register_resolver(SubjectType.DISCLOSURE, scopes_of_disclosure)
        register_party(DISCLOSED.code, party_of)
        provide(contribution)
        for one in (consent_chapter, recorded_chapter, disclosure_chapter):
            chapters.register(one)
