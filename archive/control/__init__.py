"""A co-operative's control page: what an archive may tell its operator, and the page that an operator makes of it."""
