"""Checking a sealed package from outside, for anyone: the archive itself, the command, a court's expert."""

from .evidence_package import verify_evidence
from .outside import verify_outside
from .report import Report, Verdict
from .verify import verify

__all__ = ["Report", "Verdict", "verify", "verify_evidence", "verify_outside"]
