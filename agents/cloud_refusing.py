"""What the cloud refuses, and what becomes of it: its sender is asked again, and a request that stays refused fails."""

from ..bus.clock import SECOND
from ..bus.engine import Context
from ..bus.messages import BranchReady, Failure, Forwarded, GenerateOrder, Prompt, Tick
from ..bus.signed import Refusal, Signable
from .accounting import body_bits
from .cloud_state import CloudBase
from .knowledge.items import SUBJECT
from .signatures import FALSE, TOO_FAST, kind

PATIENCE_NS = SECOND
"""How long the cloud waits for what it has asked for again."""


class CloudRefusing(CloudBase):
    """The cloud alone says when a request has ended by refusal, and says it once."""

    def takes(self, order: GenerateOrder, edge: str, ctx: Context) -> bool:
        """Whether a prompt is to be drawn: it is what it says, and its request has not been drawn or given up already."""
        request, ended = order.prompt.request, self.state.ended
        reason = self.distrust(order.prompt, order.sender, request, ctx)
        if request in ended:
            return False
        if reason:
            if not self.ask_again(order.prompt, order.sender, request, reason, ctx) and order.sender in self.around.user_settings:
                self.give_up(request, edge, reason, ctx)
            return False
        if self.around.guarded:
            ended[request] = True
        return True

    def ask_again(self, body: Signable, sender: str, request: str, reason: str, ctx: Context) -> bool:
        """Ask a user to send again what was refused, unless it was asked often enough; return whether it will be heard again.

        Who a false message is from cannot be known: its victim is asked, and has nothing to send if it never said that. What is
        stale was sent before; a sender that is too fast shall not send more.
        """
        if reason == TOO_FAST or sender not in self.around.user_settings:
            return False
        if reason != FALSE:
            return True
        what = f"{kind(body)}:{sender}:{request}"
        asked = self.again(what)
        if not asked:
            return False
        refusal = Refusal(request, kind(body))
        self.multicast(ctx, f"refusal:{what}:{asked}", "refusal", body_bits(refusal), refusal, [sender], request=request)
        if isinstance(body, Prompt):
            ctx.timer(PATIENCE_NS, Tick("refused", asked, request))
        return True

    def tick_refused(self, tick: Tick, ctx: Context) -> None:
        """Nothing good has come since a prompt was refused: its sender, or what was asked of it, was not heard."""
        request, sender = tick.request, tick.request.rpartition("/")[0]
        served = self.state.served_by.get(sender)
        if served and request not in self.state.ended and self.state.refusals[f"prompt:{sender}:{request}"] == tick.number:
            self.give_up(request, served.edge, "nothing better came", ctx)

    def give_up(self, request: str, edge: str, reason: str, ctx: Context) -> None:
        """A request ends here."""
        self.state.ended[request] = True
        ctx.send(edge, Failure(request, self.id, f"prompt refused: {reason}"))

    def again(self, what: str) -> int:
        """Count one more time that something is sent again, 1 for the first; 0 if it was often enough."""
        before = self.state.refusals.get(what, 0)
        if before >= self.settings.security.resend:
            return 0
        self.state.refusals[what] = before + 1
        return before + 1

    def got_refusal(self, refusal: Refusal, message: Forwarded, ctx: Context) -> None:
        """A user has refused an adapter: it gets all of its own again, as they are now."""
        user = message.user
        number = self.again(f"{refusal.message}:{user}")
        if not number:
            return
        for name, subject in self.state.subjects.items():
            item = self.state.kb.get(SUBJECT, name)
            if subject.user == user and subject.trained_on and item is not None:
                ready = BranchReady(user, name, item.data, 8 * len(subject.adapter))
                label = f"branch:{name}:{refusal.message}:{number}"
                self.multicast(ctx, label, "preparation", body_bits(ready), ready, [user])
