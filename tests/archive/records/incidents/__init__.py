"""Tests of incident records."""
