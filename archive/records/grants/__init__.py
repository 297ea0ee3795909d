"""Access to a student's recordings: given for a purpose, until a day, and reviewed every quarter."""
