"""Reinforcement learning on networks; see README.md of the folder above."""
