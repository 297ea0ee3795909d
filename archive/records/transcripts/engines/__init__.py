"""Programs that write down what they hear, each in a process without network, files to write, or other programs."""
