"""Tags of what core gives to pages."""
