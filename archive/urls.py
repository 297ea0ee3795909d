"""Addresses: the boxes' interface, and the pages of each noun. archive/access/routes.py says what each needs."""

from __future__ import annotations

from django.urls import include, path

from archive.access.urls import urlpatterns as access
from archive.accounts.urls import plain
from archive.accounts.urls import urlpatterns as accounts
from archive.core import errors
from archive.core.exposition import metrics
from archive.core.health import healthz, livez, readyz
from archive.doctor.urls import urlpatterns as checks
from archive.doctor.views import control_summary
from archive.enrollment.urls import pages_urlpatterns as boxes
from archive.recordings.urls import urlpatterns as recordings
from archive.records.destruction.urls import urlpatterns as destruction
from archive.records.disclosures.urls import urlpatterns as disclosures
from archive.records.evidence.urls import urlpatterns as evidence
from archive.records.grants.urls import urlpatterns as grants
from archive.records.holds.urls import urlpatterns as holds
from archive.records.incidents.urls import urlpatterns as incidents
from archive.records.letters.urls import urlpatterns as letters
from archive.records.meetings.urls import urlpatterns as meetings
from archive.records.outside_recordings.urls import urlpatterns as outside_recordings
from archive.records.people.urls import urlpatterns as people
from archive.records.public_lists.urls import urlpatterns as public_lists
from archive.records.redactions.urls import urlpatterns as redactions
from archive.records.requests.urls import urlpatterns as requests
from archive.records.restrictions.urls import urlpatterns as restrictions
from archive.records.retention.urls import urlpatterns as retention
from archive.records.today.urls import urlpatterns as today
from archive.records.transcripts.urls import urlpatterns as transcripts
from archive.rooms.urls import urlpatterns as rooms
from archive.transfers.urls import urlpatterns as transfers
from archive.ui.views import favicon, language, robots

pages = [
    *accounts,
    *access,
    *rooms,
    *boxes,
    *checks,
    *recordings,
    *people,
    *public_lists,
    *meetings,
    *letters,
    *outside_recordings,
    *incidents,
    *grants,
    *requests,
    *restrictions,
    *transcripts,
    *holds,
    *retention,
    *redactions,
    *evidence,
    *disclosures,
    *destruction,
    *today,
    *transfers,
    path("language/", language, name="language"),
]
"""Addresses of people's pages, each with its noun; templates name them `pages:...`."""

urlpatterns = [
    path("api/1/", include("archive.enrollment.urls")),
    path("api/1/", include("archive.ingest.urls")),
    path("healthz", healthz, name="healthz"),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("control.json", control_summary, name="control-summary"),
    path("favicon.ico", favicon, name="favicon"),
    path("robots.txt", robots, name="robots"),
    *plain,
    path("", include((pages, "pages"))),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.failed
