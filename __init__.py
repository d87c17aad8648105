"""semcast simulates generative semantic communication networks.

Users, base stations, edge servers and a cloud are agents that exchange prompts and semantic features over NATS
subjects. Read the folders in the order of their imports: ``bus``, ``policies``, ``agents``, ``scenarios``.
"""

__version__ = "0.1.0"
