"""Disclosure through two gates: FERPA, and the written consent of everybody who was recorded."""
