"""Backups of a whole archive in three places, of which none alone lets anybody hear, and taking them back."""
