"""The files on a Raspberry Pi's boot partition: read as the firmware reads them, checked, and written for a card."""
