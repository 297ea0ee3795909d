"""Tests of the archive's doctor."""
