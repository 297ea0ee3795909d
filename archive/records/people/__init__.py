"""Students, the people who hold rights over their records, and staff."""
