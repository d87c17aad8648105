"""Texts at an edge: passed on to their receivers, as words in symbols or as files.

Neither needs CSI of the edge: a text takes some milliseconds of air, and a file is repeated until it is there.
"""

from typing import Any

from ..bus.clock import ns
from ..bus.content_messages import CodedText, Profile, TextContent, Watch, WordText
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.errors import BadInput
from ..bus.messages import Downlink, Forwarded
from .accounting import body_bits, signature_bits
from .base import NetworkAgent
from .cloud_text import text_bits
from .network import backhaul_ns
from .texts.files import PACK_FLOPS, packed, unpacked
from .texts.words import spelled, to_symbols, tokenised


class EdgeText(NetworkAgent):
    """Part of the edge."""

    state: Any

    def wire(self, bs: str) -> str:
        """Who takes what goes to a base station."""
        raise NotImplementedError

    def fail(self, request: str, reason: str, ctx: Context) -> None:
        """A request ends here."""
        raise NotImplementedError

    def got_profile(self, profile: Profile, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message, after_ns=backhaul_ns(signature_bits(profile)))

    def got_watch(self, watch: Watch, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message, after_ns=backhaul_ns(signature_bits(watch)))

    def got_coded_text(self, body: CodedText, message: Forwarded, ctx: Context) -> None:
        """A sender's file (scheme ``traditional``), for a user here or elsewhere."""
        try:
            text = unpacked(body.file)
        except BadInput as error:
            self.fail(body.request, f"file cannot be read: {error.message}", ctx)
            return
        content = TextContent(body.request, message.user, body.recipient, body.t_ns, text)
        place = self.state.places.get(content.recipient)
        if place is None or place.edge != self.id:
            to = self.settings.cloud if place is None else place.edge
            ctx.send(to, content, after_ns=backhaul_ns(text_bits(content)))
            return
        ctx.record(content)
        self.deliver_text(content, ctx)

    def on_text_content(self, content: TextContent, event: Envelope, ctx: Context) -> None:
        """A text for one of our users."""
        self.deliver_text(content, ctx)

    def deliver_text(self, content: TextContent, ctx: Context) -> None:
        """To the cell of the receiver."""
        place = self.state.places.get(content.recipient)
        if place is None:
            self.fail(content.request, f"{content.recipient} is attached nowhere", ctx)
            return
        body, symbols = self.as_sent(content)
        label = f"features:{content.request}:down"
        downlink = Downlink([content.recipient], label, content.request, "features", body_bits(body), body, symbols)
        work_ns = ns(PACK_FLOPS * len(content.text) / self.settings.compute.edge_flops)
        ctx.send(self.wire(place.bs), downlink, after_ns=work_ns)

    def as_sent(self, content: TextContent) -> tuple[CodedText | WordText, bytes]:
        """A body and its symbols; composed texts have words of the lexicon alone, others and alarms are files."""
        own = self.settings
        tokens = spelled(tokenised(content.text)) if own.text_link == "words" and own.traffic.content == "text" else []
        if own.scheme == "traditional" or not tokens:
            return CodedText(content.request, content.recipient, content.t_ns, packed(content.text)), b""
        return WordText(content.request, content.recipient, content.t_ns, len(tokens)), to_symbols(tokens)
