"""The Debian packages in a clean root: a command of its own (`deploy/package-test`), because it takes minutes."""
