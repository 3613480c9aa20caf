"""From numbers to words and pictures."""
