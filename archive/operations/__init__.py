"""Running the archive: the web server, and what all commands share."""
