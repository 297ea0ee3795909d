"""What parents ask for: access, a copy, an explanation, an amendment; and their own pages."""
