"""Evidence packages."""
