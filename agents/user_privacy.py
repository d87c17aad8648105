"""Differential privacy at a user: vectors get noise before they leave it, where the scenario sets an epsilon.

Covered are the embedding of a preference and the identifiers of own subjects. Pictures, captions and boxes are not: whoever
shares pictures of a subject has told more than an identifier does.
"""

from .knowledge.items import SUBJECT
from .knowledge.privacy import release
from .knowledge.retrieval import to_float16
from .user_state import UserBase


class UserPrivacy(UserBase):
    """What of a user's vectors may be told."""

    def protected(self, kind: str, name: str, vector: bytes) -> bytes:
        """A vector as it may leave this user, rounded to float16; with noise where ``knowledge.privacy_epsilon`` is above 0."""
        knowledge = self.settings.knowledge
        if knowledge.privacy_epsilon > 0.0:
            whose = (self.settings.seed, "privacy noise", self.id, kind, name)
            vector = release(vector, knowledge.privacy_epsilon, knowledge.privacy_delta, *whose)
        return to_float16(vector)

    def told_looks(self) -> dict[str, bytes]:
        """Identifier vectors of own subjects, as they may be told."""
        return {name: self.protected(SUBJECT, name, vector) for name, vector in self.looks().items()}
