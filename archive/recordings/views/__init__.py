"""The pages, one module a place."""
