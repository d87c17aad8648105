"""Harm done to running networks, by keyed schedules: workers, servers, connections, nodes and drivers that die or stand still."""
