"""For all tests: nothing is judged by how long it took on a busy machine (``semcast bench`` measures)."""

from hypothesis import settings

settings.register_profile("semcast", deadline=None)
settings.load_profile("semcast")
