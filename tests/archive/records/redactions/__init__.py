"""Tests of redacted copies."""
