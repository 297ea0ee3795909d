"""The archive's configuration: one TOML file, every value with its unit and default (archive.example.toml)."""
