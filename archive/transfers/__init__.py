"""Taking in what another district's archive handed over with a student (34 CFR 99.34)."""
