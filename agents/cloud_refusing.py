"""What the cloud refuses, and what becomes of it: its sender is asked again, and a request that stays refused fails."""

from ..bus.engine import Context
from ..bus.messages import Failure, GenerateOrder
from ..bus.signed import Refusal, Signable
from .accounting import body_bits
from .cloud_state import CloudBase
from .signatures import FALSE, TOO_FAST, kind


class CloudRefusing(CloudBase):
    """The cloud alone says when a request has ended by refusal, and says it once."""

    def takes(self, order: GenerateOrder, edge: str, ctx: Context) -> bool:
        """Whether a prompt is to be drawn: it is what it says, and its request has not been drawn or given up already."""
        request, ended = order.prompt.request, self.state.ended
        reason = self.objection(order.prompt, order.sender, request, ctx)
        if request in ended:
            return False
        if reason:
            if not self.ask_again(order.prompt, order.sender, request, reason, ctx) and order.sender in self.around.user_settings:
                ended[request] = True
                ctx.send(edge, Failure(request, self.id, f"prompt refused: {reason}"))
            return False
        if self.around.guarded:
            ended[request] = True
        return True

    def ask_again(self, body: Signable, sender: str, request: str, reason: str, ctx: Context) -> bool:
        """Ask a sender to send again what was refused, unless it was asked often enough; return whether it will be heard again.

        Who a false message is from cannot be known: its victim is asked, and has nothing to send if it never said that. What is
        stale was sent before; a sender that is too fast shall not send more.
        """
        if reason == TOO_FAST or sender not in self.around.user_settings:
            return False
        if reason != FALSE:
            return True
        what = f"{kind(body)}:{sender}:{request}"
        asked = self.state.refusals.get(what, 0)
        if asked >= self.settings.security.resend:
            return False
        self.state.refusals[what] = asked + 1
        refusal = Refusal(request, kind(body))
        self.multicast(ctx, f"refusal:{what}:{asked}", "refusal", body_bits(refusal), refusal, [sender], request=request)
        return True
