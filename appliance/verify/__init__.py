"""`plainsight verify`: the check of a package for anyone, on any machine, without a network."""
