"""The first page of each person: what is due today; and the readiness report."""
