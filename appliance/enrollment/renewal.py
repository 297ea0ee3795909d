"""`plainsight renew`: the certificate for the broker, renewed when half of its life is over."""

from __future__ import annotations

from .command import main_renew as main

__all__ = ["main"]
