"""Scheme ``aigc-scm`` at the cloud: it generates nothing, and passes history on between users."""

from ..bus.engine import Context
from ..bus.messages import Downlink, Forwarded, Knowledge
from .accounting import body_bits, signature_bits
from .cloud_preparation import CloudPreparation
from .network import backhaul_ns
from .user_reconstructing import SCHEME


class CloudHistory(CloudPreparation):
    """See the module."""

    def begin_preparation(self, ctx: Context) -> None:
        """Nothing is bought, and no picture is coded."""
        if self.settings.scheme != SCHEME:
            super().begin_preparation(ctx)

    def got_knowledge(self, knowledge: Knowledge, message: Forwarded, ctx: Context) -> None:
        """An owner's pictures of its subjects: to the others who are to be informed, as they came, signature and all."""
        if self.settings.scheme != SCHEME:
            super().got_knowledge(knowledge, message, ctx)
            return
        informed = self.settings.aigc.informed or self.around.users
        users = [user for user in informed if user != knowledge.user]
        signed = signature_bits(knowledge)
        bits = body_bits(knowledge) + signed
        history = Downlink(users, f"history:{knowledge.user}:down", "", "preparation", bits, knowledge)
        self.send_down(history, ctx, after_ns=backhaul_ns(signed))
