"""Tests of restricted passages."""
