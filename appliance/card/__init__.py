"""`plainsight card`: prepares a card with Raspberry Pi OS so that a box sets itself up, without a screen."""
