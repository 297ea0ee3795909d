"""Destruction for good: two people, parents told, no hold, no open request, a day of rest, and a certificate."""
