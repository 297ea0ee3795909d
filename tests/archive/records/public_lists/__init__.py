"""Tests of the public lists."""
