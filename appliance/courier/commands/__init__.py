"""The courier's subcommand of `plainsight`."""
