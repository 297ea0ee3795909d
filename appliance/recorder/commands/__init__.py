"""What a person can ask of the recorder on the command line."""
