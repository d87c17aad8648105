"""Texts at the cloud: composed of what a prompt says and of what is known of its writer; alarms are passed on as sentences.

The writer's branch model is here its preferences (`texts.itinerary.filled`): what it has shared, and nobody else's.
"""

from ..bus.clock import ns
from ..bus.content_messages import Profile, TextContent, Watch, Watched
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.errors import BadInput
from ..bus.messages import Failure, Forwarded, GenerateOrder
from ..bus.signed import Refusal
from .accounting import body_bits
from .cloud_state import CloudBase
from .knowledge.items import CLOUD, PREFERENCE, PUBLIC, TASK
from .network import backhaul_ns
from .prompt_codec import decode as decode_prompt
from .texts import alarms
from .texts import prompt as prompts
from .texts.composing import compose, joined
from .texts.itinerary import Preferences
from .texts.reading import READ_FLOPS

PROFILE = "profile"
"""The kind of message that is asked for again."""


def text_bits(content: TextContent) -> int:
    """What a text takes on a wire."""
    return 8 * len(content.text.encode())


class CloudText(CloudBase):
    """Part of the cloud."""

    def got_profile(self, profile: Profile, message: Forwarded, ctx: Context) -> None:
        """What a user always wants in its texts; what cannot be read is not kept."""
        try:
            prompts.decode_profile(profile.data)
        except BadInput:
            return
        self.learn(ctx, PREFERENCE, f"{message.user}/texts", "as told", data=profile.data, provenance=message.user, sharing=CLOUD)

    def got_watch(self, watch: Watch, message: Forwarded, ctx: Context) -> None:
        """What a user watches for: everybody hears of it."""
        try:
            alarms.decode(watch.data)
        except BadInput:
            return
        user = message.user
        self.learn(ctx, TASK, user, f"{user} watches", data=watch.data, provenance=user, sharing=PUBLIC)
        told = Watched(user, watch.data)
        self.multicast(ctx, f"watched:{user}", "preparation", body_bits(told), told)

    def on_text_content(self, content: TextContent, event: Envelope, ctx: Context) -> None:
        """From an edge for a user that it does not know."""
        served = self.state.served_by.get(content.recipient)
        if served is None:
            ctx.send(event.source, Failure(content.request, self.id, f"{content.recipient} is attached nowhere"))
        else:
            ctx.send(served.edge, content, after_ns=backhaul_ns(text_bits(content)))

    def write_text(self, order: GenerateOrder, edge: str, ctx: Context) -> None:
        """Compose what a prompt says, for the edge of its receiver."""
        request = order.prompt.request
        try:
            recipient, text = self.composed(order, ctx)
        except BadInput as error:
            ctx.send(edge, Failure(request, self.id, f"prompt cannot be read: {error.message}"))
            return
        served = self.state.served_by.get(recipient) or self.state.served_by.get(order.sender)
        if served is None:
            ctx.send(edge, Failure(request, self.id, f"{recipient} is attached nowhere"))
            return
        content = TextContent(request, order.sender, recipient, order.prompt.t_ns, text)
        work_ns = ns(READ_FLOPS * len(text) / self.settings.compute.cloud_flops)
        ctx.send(served.edge, content, after_ns=work_ns + backhaul_ns(text_bits(content)))

    def composed(self, order: GenerateOrder, ctx: Context) -> tuple[str, str]:
        """Recipient and text of a prompt.

        Raises:
            BadInput: It cannot be read.
        """
        data = order.prompt.data
        if self.settings.traffic.content == "alarms":
            told = decode_prompt(data)
            return self._recipient(told.recipient), alarms.sentence(told.caption)
        likes = self.known_of(order.sender)
        prompt = prompts.decode(data, likes)
        if prompt.known and likes is None:
            self.ask_profile(order.sender, order.prompt.request, ctx)
        return self._recipient(prompt.recipient), joined([token for said in compose(prompt.told) for token in said])

    def ask_profile(self, sender: str, request: str, ctx: Context) -> None:
        """A prompt refers to preferences that never came: its text has gaps, and the sender tells them with its next one."""
        refusal = Refusal(request, PROFILE)
        self.multicast(ctx, f"refusal:{PROFILE}:{request}", "refusal", body_bits(refusal), refusal, [sender], request=request)

    def known_of(self, sender: str) -> Preferences | None:
        """What a sender has told of itself."""
        item = self.state.kb.get(PREFERENCE, f"{sender}/texts")
        return None if item is None else prompts.decode_profile(item.data)

    def _recipient(self, number: int) -> str:
        if number >= len(self.around.users):
            raise BadInput(f"there is no recipient number {number}")
        return self.around.users[number]
