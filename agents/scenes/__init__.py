"""The scene world: pictures drawn by our own code, with exact ground truth (see README.md)."""
