"""Properties are checked without deadlines: the machines that run these tests are shared."""

from hypothesis import settings

settings.register_profile("channel", deadline=None)
settings.load_profile("channel")
