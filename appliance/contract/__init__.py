"""What box and archive agree on: identifiers, signatures, formats and messages. It imports nothing else of ours."""
