"""Tests of destruction."""
