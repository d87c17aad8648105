"""See README.md of the folder (or of its parent)."""
