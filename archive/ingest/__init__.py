"""Taking recordings in: the boxes' HTTP interface (docs/format.md section 3)."""
