"""The life of a meeting's record: people, letters, meetings, access, requests. Names stand here and nowhere else."""
