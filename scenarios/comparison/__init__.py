"""Comparing choices in the same world: plan the cells, run them, take paired differences, draw curves."""
