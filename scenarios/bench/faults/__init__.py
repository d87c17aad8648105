"""Harm done to running networks, by keyed schedules: whatever dies, a run must end with the digest of an undisturbed one."""
