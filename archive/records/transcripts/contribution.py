"""What a recording's page says of its transcripts: where to read it, and for whoever brings them, every version."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Reader, Section
from archive.recordings.models import Recording, State

from .machine_deeds import PROBLEMS
from .models import MachineDraft
from .notices import standing
from .reach import in_use
from .rules import best


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return the way to the transcript for whoever may listen, and its versions for whoever may add some."""
    if recording.state != State.SEALED or recording.destroyed_at is not None:
        return Contribution()
    reading: tuple[Action, ...] = ()
    if reader.may(Deed.LISTEN) and (shown := best(in_use(recording), get_language() or "en")) is not None:
        address = reverse("pages:transcript", args=[recording.pk])
        reading = (Action(_("Read the transcript while it plays"), address, standing(shown)),)
    if not reader.may(Deed.TRANSCRIBE):
        return Contribution(beside_player=reading)
    return Contribution(beside_player=reading, sections=_versions(recording), actions=_actions(recording))


def _versions(recording: Recording) -> tuple[Section, ...]:
    rows = list(recording.transcripts.defer("encrypted").select_related("brought_by"))
    draft = MachineDraft.objects.filter(recording=recording).first()
    if not rows and draft is None:
        return ()
    context = {
        "rows": [(one, standing(one)) for one in rows],
        "recording": recording.pk,
        "package": recording.package_sha256,
        "draft": draft,
        "problem": PROBLEMS.get(draft.problem, draft.problem) if draft else "",
    }
    return (Section("Versions of the transcript", "transcripts/section.html", context),)


def _actions(recording: Recording) -> tuple[Action, ...]:
    bring = Action(
        "Add a transcript",
        reverse("pages:transcript-new", args=[recording.pk]),
        "A WebVTT file from a person, a captioner or a service. It is a draft until somebody answers for it.",
    )
    if settings.ARCHIVE.transcription is None:
        return (bring,)
    ask = Action(
        "Let the computer draft a transcript",
        reverse("pages:transcript-ask", args=[recording.pk]),
        "On this machine alone, without any network. The log says who asked.",
    )
    return (bring, ask)
