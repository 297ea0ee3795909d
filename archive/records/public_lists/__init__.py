"""Lists that the district must keep and show: records and where they are, who has access, training, annual notice."""
