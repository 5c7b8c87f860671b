"""Sharing by consent and by decision: what counts today, the writes, and the words of the pages."""
