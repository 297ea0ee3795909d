"""Recordings that no box made: brought by somebody, kept byte for byte, at a lower grade."""
