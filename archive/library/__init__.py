"""The staff pages: rooms, recordings, listening, checking, downloads. It reads what the rest of the archive keeps."""
