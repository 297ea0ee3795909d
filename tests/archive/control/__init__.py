"""Tests of the control app."""
