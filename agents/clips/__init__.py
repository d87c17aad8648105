"""Short video: clips of the scene world and of files, tracks, prompts that say what moved, and frames made of them again.

A clip is N frames of raw uint8 RGB, (N, side, side, 3). Places are in pixels of a picture of 64, whatever a file's own size.
"""
