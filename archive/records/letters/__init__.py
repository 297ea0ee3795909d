"""Letters: approved texts in two languages, merged, printed, and how they were delivered."""
