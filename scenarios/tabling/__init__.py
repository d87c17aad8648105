"""Measuring the table of models: ``semcast calibrate models`` (see README.md of the parent folder)."""
