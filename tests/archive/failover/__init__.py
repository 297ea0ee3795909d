"""Tests of a database server that falls, and of the one that takes its place."""
