"""Transcripts: what people, services or a computer wrote down of a recording; never the record itself."""
