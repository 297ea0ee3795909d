"""Tests of recordings that no box made."""
