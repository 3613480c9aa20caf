"""The edge: bytes to nouns and back. The only code that opens files."""
