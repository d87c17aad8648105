"""Replaying a finished run in part or otherwise: one agent alone, or the same world under another choice."""
