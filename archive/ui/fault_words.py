"""What amber codes mean, named once more so that the sentences are gathered for translation.

A test holds that they are those of appliance.contract.amber_codes, which knows no Django.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

CAUSES: Final = (
    gettext_noop("The microphone is not there."),
    gettext_noop("Another microphone than at commissioning is plugged in."),
    gettext_noop("The microphone is switched off or muted: it gives less than its own noise."),
    gettext_noop("The microphone sounds like another one than at commissioning."),
    gettext_noop("The microphone could not be opened, or its recording process ended."),
    gettext_noop("The microphone stopped giving sound."),
    gettext_noop("The microphone gives no sound at all, or always the same value."),
    gettext_noop("The sound card's clock is wrong: it gives more or fewer frames a second than it says."),
    gettext_noop("The microphone is too loud: speech is cut off and sounds torn."),
    gettext_noop("The process that listens does not start."),
    gettext_noop("The microphone could not be closed."),
    gettext_noop("The box has no room for a recording."),
    gettext_noop("The box has no room for the longest recording."),
    gettext_noop("The spool's disk has too few free file names (inodes) for the longest recording."),
    gettext_noop("The box cannot write to its card or disk."),
    gettext_noop("The card or disk takes too long to write."),
    gettext_noop("The process that saves recordings ended or does not answer."),
    gettext_noop("Something that happened could not be entered in the recording's ledger."),
    gettext_noop("A receipt is not the archive's or does not fit; nothing is deleted."),
    gettext_noop("The card or disk lost something of an earlier recording; new ones are made."),
    gettext_noop("The red lamp was switched on and not seen to be lit."),
    gettext_noop("The red lamp is lit although it was switched off."),
    gettext_noop("Another program has the microphone open although the lamp is dark."),
    gettext_noop("The microphone has power although the lamp is dark."),
    gettext_noop("The signing key is missing or unreadable."),
    gettext_noop("This card was copied from another box, which has the same identity."),
    gettext_noop("The clock is not synchronized; times in the recording may be wrong."),
    gettext_noop("The box was not commissioned, or its record is not to be believed."),
    gettext_noop("The last recording was ended by a fault."),
    gettext_noop("The front panel does not answer."),
    gettext_noop("The button is pressed all the time."),
    gettext_noop("The box has too little free memory."),
    gettext_noop("The box has too few free file handles."),
    gettext_noop("The recorder met something that it does not know."),
)
