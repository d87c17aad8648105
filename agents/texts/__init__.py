"""Texts: a world of itineraries with exact facts, and what reads, codes, composes and mends them. See README.md."""
