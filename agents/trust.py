"""What users and cloud do about trust: they sign what they say, and look at what they hear before they use it."""

from typing import Any

from msgspec import UnsetType

from ..bus.content_messages import GroupPrompt
from ..bus.engine import Context
from ..bus.messages import Knowledge, Prompt, Share
from ..bus.records import Verdict
from ..bus.signed import Signable
from .base import NetworkAgent
from .signatures import FALSE, STALE, TOO_FAST, UNKNOWN, Heard, genuine, kind, mark_of, sign


class TrustingAgent(NetworkAgent):
    """Signs and checks, as ``settings.security`` says."""

    def signed(self, body: Any, ctx: Context) -> Any:
        """A body as it goes out: signed with the next counter, if it is of a kind that is and signatures are on."""
        if not self.settings.security.signatures or not isinstance(body, Signable):
            return body
        self.state.signed += 1
        return sign(body, self.state.signed, self.id, ctx.seed)

    def distrust(self, body: Any, sender: str, request: str, ctx: Context) -> str:
        """Why a body that came as the sender's is refused; empty if it is taken. Every look is on record where it matters."""
        if not isinstance(body, Signable):
            return ""
        reason = self._reason(body, sender, ctx)
        if reason or self.around.guarded:
            ctx.record(Verdict(sender, request, kind(body), mark_of(body), reason))
        return reason

    def _reason(self, body: Signable, sender: str, ctx: Context) -> str:
        """The signature comes first, so that nobody is held to a rate for what others said in its name."""
        security = self.settings.security
        if sender not in self.around.user_settings and sender != self.settings.cloud:
            return UNKNOWN
        heard = self.state.senders.setdefault(sender, Heard()) if security.signatures or security.rate_hz else Heard()
        if not _speaks_for_itself(body, sender):
            return FALSE
        if security.signatures:
            if isinstance(body.signature, UnsetType) or not genuine(body, sender, ctx.seed):
                return FALSE
            if not heard.is_fresh(body.signature.counter):
                return STALE
            heard.take(body.signature.counter)
        if security.rate_hz and sender != self.settings.cloud and not heard.within(security.rate_hz, ctx.now):
            return TOO_FAST
        return ""


def _speaks_for_itself(body: Signable, sender: str) -> bool:
    """Whether what a user says names no other user as the one who says it."""
    if isinstance(body, Prompt | GroupPrompt):
        return body.request.rpartition("/")[0] == sender
    return not isinstance(body, Share | Knowledge) or body.user == sender
