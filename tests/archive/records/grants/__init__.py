"""Tests of access to recordings."""
