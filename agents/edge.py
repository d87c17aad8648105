"""The edge server: routes between cloud and cells, encodes pictures for their receivers' channels, caches feedback."""

import msgspec
from msgspec import Struct, field

from ..bus.blocks import Attestation, Ballot
from ..bus.channel.csi import dequantise
from ..bus.clock import MS, SECOND, ns
from ..bus.content_messages import ClipKnowledge, GroupPrompt
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import (
    Association,
    CodecRequest,
    CodecWeights,
    Content,
    CsiReport,
    CsiRequest,
    Downlink,
    Failure,
    Feedback,
    Forwarded,
    GenerateOrder,
    JsccPicture,
    Knowledge,
    Library,
    Prompt,
    Reception,
    Satisfaction,
    Share,
    Tick,
)
from ..bus.signed import Refusal
from ..policies.protocols import EncoderChoice, EncoderContext, EncoderLesson, Outcome
from .accounting import body_bits, signature_bits
from .base import AgentState
from .base_station import UNKNOWN_SNR_DB
from .codec_store import CodecStore
from .coded_pictures import FORMATS
from .csi import error_std_db
from .edge_files import EdgeFiles
from .edge_text import EdgeText
from .knowledge.items import NETWORK
from .models.framewise import told_frames
from .models.roles import Decode, Encode, Picture, Symbols
from .network import backhaul_ns

CSI_FRESH_NS = 5 * MS
"""A measurement younger than this is used as it is; else the receiver is asked for a new one."""
CSI_PATIENCE_NS = 60 * MS
"""How long an edge waits for the answer before it goes by what it has."""
NO_CSI_AGE_S = 10.0
"""Age given to a policy for a receiver that has never reported."""
MOST_CHOSEN = 256
"""Choices that an edge keeps in mind until it hears of them; the oldest is forgotten first."""


class Place(Struct):
    """Where a user is served, since which epoch."""

    bs: str
    edge: str
    epoch: int


class KnownCsi(Struct):
    """What a receiver reported: its last measurement (``t_ns`` -1: none yet) and its running mean, in dB."""

    last_db: float = 0.0
    t_ns: int = -1
    mean_db: float | None = None


class Delivery(Struct):
    """A picture on its way down. ``asked_ns``: when CSI was asked for, -1 once it has been encoded for."""

    content: Content
    codec: str = ""
    denoise: bool | None = None
    asked_ns: int = -1


class Chosen(Struct):
    """A codec that a learning policy has not heard of yet."""

    context: EncoderContext
    choice: EncoderChoice


class Incoming(Struct):
    """A picture that came up as symbols and is being decoded (scheme ``semcom``)."""

    sender: str
    recipient: str
    t_ns: int


class EdgeState(AgentState):
    """All that changes in an edge server."""

    places: dict[str, Place] = field(default_factory=dict)
    csi: dict[str, KnownCsi] = field(default_factory=dict)
    store: CodecStore = field(default_factory=CodecStore)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    fetching: dict[str, list[str]] = field(default_factory=dict)
    """Codec -> requests that wait for it."""
    incoming: dict[str, Incoming] = field(default_factory=dict)
    last_codec: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, Chosen] = field(default_factory=dict)
    """Request -> what was chosen for it, where the encoder policy learns."""
    feedback: list[tuple[str, float]] = field(default_factory=list)


class Edge(EdgeText, EdgeFiles):
    """See the module."""

    state: EdgeState
    state_type = EdgeState

    def start(self, ctx: Context) -> None:
        """Feedback is synced in periods."""
        self.state.store.capacity_bits = self.settings.knowledge.edge_storage_bits
        ctx.timer(ns(self.settings.traffic.feedback_sync_s), Tick("sync"))

    # --- routing ---------------------------------------------------------------------------------------------------

    def on_association(self, association: Association, event: Envelope, ctx: Context) -> None:
        """Who is served where; the cloud tells the edge that a user has left."""
        known = self.state.places.get(association.user)
        if known is None or association.epoch > known.epoch:
            self.state.places[association.user] = Place(association.bs, association.edge, association.epoch)
        if event.source != self.settings.cloud:
            ctx.control(self.settings.cloud, association)

    def wire(self, bs: str) -> str:
        """Who takes what goes to a base station: the station itself, or the adversary on its wire."""
        return self.around.adversary_of.get(bs, bs)

    def on_downlink(self, downlink: Downlink, event: Envelope, ctx: Context) -> None:
        """From the cloud to users, or from an edge that does not serve them."""
        self.send_down(downlink, ctx)

    def send_down(self, downlink: Downlink, ctx: Context) -> None:
        """One message to each cell that serves some of the users (one multicast there); the cloud knows where others are."""
        cells: dict[str, list[str]] = {}
        for user in downlink.users:
            place = self.state.places.get(user)
            # a user that has gone to another edge since the cloud looked is followed there
            to = self.settings.cloud if place is None else self.wire(place.bs) if place.edge == self.id else place.edge
            cells.setdefault(to, []).append(user)
        for to in sorted(cells):
            ctx.send(
                to, Downlink(cells[to], downlink.label, downlink.request, downlink.purpose, downlink.payload_bits, downlink.body)
            )

    def on_forwarded(self, message: Forwarded, event: Envelope, ctx: Context) -> None:
        """Something came up from a user."""
        self.method("got", message.body)(message.body, message, ctx)

    def got_prompt(self, prompt: Prompt, message: Forwarded, ctx: Context) -> None:
        """The cloud generates."""
        ctx.send(self.settings.cloud, GenerateOrder(message.user, prompt), after_ns=backhaul_ns(signature_bits(prompt)))

    def got_group_prompt(self, prompt: GroupPrompt, message: Forwarded, ctx: Context) -> None:
        """To its recipients, who generate themselves."""
        label, bits = f"prompt:{prompt.request}:down", body_bits(prompt) + signature_bits(prompt)
        self.send_down(Downlink(prompt.recipients, label, prompt.request, "prompt", bits, prompt), ctx)

    def got_clip_knowledge(self, knowledge: ClipKnowledge, message: Forwarded, ctx: Context) -> None:
        """To those who lack it."""
        bits = body_bits(knowledge) + signature_bits(knowledge)
        self.send_down(
            Downlink(knowledge.recipients, f"clip-kb:{message.request}:down", message.request, "kb", bits, knowledge), ctx
        )

    def got_share(self, share: Share, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message, after_ns=backhaul_ns(signature_bits(share)))

    def got_knowledge(self, knowledge: Knowledge, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message, after_ns=backhaul_ns(signature_bits(knowledge)))

    def got_refusal(self, refusal: Refusal, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message, after_ns=backhaul_ns(signature_bits(refusal)))

    def got_ballot(self, ballot: Ballot, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message)

    def got_attestation(self, attestation: Attestation, message: Forwarded, ctx: Context) -> None:
        """For the cloud."""
        ctx.send(self.settings.cloud, message)

    # --- channel knowledge -----------------------------------------------------------------------------------------

    def got_csi_report(self, report: CsiReport, message: Forwarded, ctx: Context) -> None:
        """Keep it; a picture that waited for it goes on."""
        place = self.state.places.get(report.user)
        if place is None or report.epoch >= place.epoch:  # else it was measured at a station that the user has left
            known = self.state.csi.setdefault(report.user, KnownCsi())
            snr_db = dequantise(report.level, self.around.air.radio.csi_bits)
            if report.t_ns >= known.t_ns:
                known.last_db, known.t_ns = snr_db, report.t_ns
            if not report.request:
                known.mean_db = snr_db
        delivery = self.state.deliveries.get(report.request)
        if delivery is not None and delivery.asked_ns >= 0:
            self.encode(delivery, ctx)

    def on_content(self, content: Content, event: Envelope, ctx: Context) -> None:
        """A picture for one of our users: learn its channel, then encode."""
        self.deliver(content, ctx)

    def deliver(self, content: Content, ctx: Context) -> None:
        """Begin a delivery."""
        place = self.state.places.get(content.recipient)
        if place is None:
            self.fail(content.request, f"{content.recipient} is attached nowhere", ctx)
            return
        if self.around.prescribed is not None:
            self.deliver_file(content, ctx)
            return
        delivery = self.state.deliveries[content.request] = Delivery(content, asked_ns=ctx.now)
        known = self.state.csi.get(content.recipient)
        steady = self.around.air.radio.fading == "awgn" and known is not None and known.mean_db is not None
        if known is not None and known.t_ns >= 0 and (steady or ctx.now - known.t_ns < CSI_FRESH_NS):
            self.encode(delivery, ctx)
            return
        request = CsiRequest(content.request)
        label = f"csi-request:{content.request}"
        asked = Downlink([content.recipient], label, content.request, "csi", body_bits(request), request)
        ctx.send(self.wire(place.bs), asked)
        patience_ns = CSI_PATIENCE_NS + ns(self.settings.radio.csi_delay_s)
        ctx.timer(patience_ns, Tick("csi_patience", request=content.request))

    def tick_csi_patience(self, tick: Tick, ctx: Context) -> None:
        """No answer: go by what is known."""
        delivery = self.state.deliveries.get(tick.request)
        if delivery is not None and delivery.asked_ns >= 0:
            self.encode(delivery, ctx)

    # --- encoding --------------------------------------------------------------------------------------------------

    def encode(self, delivery: Delivery, ctx: Context) -> None:
        """Choose the codec by what is known of the receiver's channel, and encode as soon as it is here."""
        request, user = delivery.content.request, delivery.content.recipient
        delivery.asked_ns = -1
        context = self.encoder_context(user, ctx.now, delivery.content.t_ns)
        choice = self.decide(ctx, "encoder", "choose", context, request, about=f"{request}:down", private=False)
        if "outcome" in self.around.needs["encoder"]:
            self.state.chosen[request] = Chosen(msgspec.structs.replace(context, memory={}, truth=None), choice)
            if len(self.state.chosen) > MOST_CHOSEN:  # of those whose feedback was lost, or went to another edge
                del self.state.chosen[next(iter(self.state.chosen))]
        delivery.codec = self.state.last_codec[user] = choice.codec
        delivery.denoise = choice.denoise if self.settings.denoise else None
        if choice.codec in FORMATS:
            self.send_coded(request, choice.codec, ctx)
            return
        weights = self.around.weights(choice.codec)
        if self.state.store.use(weights, ctx.now):
            self.ask_encoder(request, delivery, ctx)
            return
        waiting = self.state.fetching.setdefault(weights, [])
        if not waiting:
            ctx.send(self.settings.cloud, CodecRequest(weights))
        waiting.append(request)

    def ask_encoder(self, request: str, delivery: Delivery, ctx: Context) -> None:
        """The codec is here."""
        snr_db = self.csi_of(delivery.content.recipient)[1]
        ctx.infer("jscc_encoder", Encode(delivery.content.picture, delivery.codec, snr_db), f"jscc_encoder:{request}")

    def csi_of(self, user: str) -> tuple[KnownCsi, float]:
        """What a receiver reported, and the SNR in dB to go by: its last measurement, or else its mean."""
        known = self.state.csi.get(user, KnownCsi())
        mean_db = known.mean_db if known.mean_db is not None else known.last_db
        return known, known.last_db if known.t_ns >= 0 else mean_db

    def encoder_context(self, user: str, now_ns: int, taken_ns: int) -> EncoderContext:
        """What this edge knows of a receiver, for a picture that was taken at ``taken_ns``."""
        known, snr_db = self.csi_of(user)
        measured = known.t_ns >= 0
        privileged = "truth" in self.around.needs["encoder"]
        return EncoderContext(
            codecs=self.around.offers(known.mean_db if known.mean_db is not None else UNKNOWN_SNR_DB),
            csi_snr_db=snr_db,
            csi_age_s=(now_ns - known.t_ns) / SECOND if measured else NO_CSI_AGE_S,
            csi_std_db=error_std_db(snr_db, self.around.air.radio),
            doppler_hz=self.around.doppler_hz(user),
            symbol_rate_hz=self.settings.radio.bandwidth_hz,
            last_codec=self.state.last_codec.get(user, ""),
            mean_snr_db=known.mean_db,
            lead_s=self.around.latency_s("edge", "bs"),
            waited_s=(now_ns - taken_ns) / SECOND,
            memory=self.memory("encoder"),
            denoiser=self.settings.denoise,
            truth=self.around.true_snr_db(user, self.state.places[user].bs, "down", now_ns) if privileged else None,
        )

    def on_symbols(self, result: Symbols, event: Envelope, ctx: Context) -> None:
        """Encoded: to the cell of the receiver."""
        request = event.in_reply_to.partition(":")[2]
        delivery = self.state.deliveries.pop(request)
        content = delivery.content
        header = JsccPicture(
            request, content.recipient, content.t_ns, delivery.codec, delivery.denoise, told_frames(content.picture)
        )
        place = self.state.places[content.recipient]
        label = f"features:{request}:down"
        downlink = Downlink([content.recipient], label, request, "features", body_bits(header), header, result.symbols)
        ctx.send(self.wire(place.bs), downlink)

    # --- codec library ---------------------------------------------------------------------------------------------

    def on_library(self, library: Library, event: Envelope, ctx: Context) -> None:
        """Codecs on offer: as many as fit are installed before the run."""
        for codec, bits in library.codecs.items():
            if self.state.store.fits(bits):
                self.hold(codec, bits, ctx)

    def on_codec_weights(self, weights: CodecWeights, event: Envelope, ctx: Context) -> None:
        """A codec that was missed has come."""
        self.hold(weights.codec, weights.bits, ctx)
        for request in self.state.fetching.pop(weights.codec, []):
            self.state.store.use(weights.codec, ctx.now)
            self.ask_encoder(request, self.state.deliveries[request], ctx)

    def hold(self, codec: str, bits: int, ctx: Context) -> None:
        """Store a codec; the eviction policy makes room for it."""
        store = self.state.store
        if not store.fits(bits):
            context = store.question(codec, bits, ctx.now, self.around.fetch_s)
            choice = self.decide(ctx, "eviction", "evict", context, about=f"{self.id}:{codec}:{ctx.now}", private=False)
            store.evict(choice.names, choice.level)
            for evicted in choice.names:
                self.forget(ctx, NETWORK, f"codec:{evicted}")
        store.put(codec, bits, ctx.now)
        self.learn(ctx, NETWORK, f"codec:{codec}", f"JSCC codec {codec}, {bits} bits", provenance=self.settings.cloud)

    # --- scheme semcom: pictures that come up as symbols ---------------------------------------------------------

    def got_jscc_picture(self, header: JsccPicture, message: Forwarded, ctx: Context) -> None:
        """Decode what a sender encoded."""
        self.state.incoming[header.request] = Incoming(message.user, header.recipient, header.t_ns)
        ctx.infer(
            "jscc_decoder",
            Decode(message.symbols, header.codec, message.snr_db, header.frames or 1),
            f"jscc_decoder:{header.request}",
        )

    def on_picture(self, result: Picture, event: Envelope, ctx: Context) -> None:
        """Decoded: to the edge of the receiver, by the cloud where this one does not know it; it may be this one."""
        request = event.in_reply_to.partition(":")[2]
        incoming = self.state.incoming.pop(request)
        content = Content(request, incoming.sender, incoming.recipient, incoming.t_ns, result.picture)
        self.hand_on(content, ctx)

    # --- feedback --------------------------------------------------------------------------------------------------

    def got_feedback(self, feedback: Feedback, message: Forwarded, ctx: Context) -> None:
        """Cache it until the next sync."""
        self.state.feedback.append((feedback.request, feedback.satisfaction))
        self.ended(Reception(feedback.request, feedback.quality, feedback.latency_ns, feedback.seen or []), ctx)

    def ended(self, reception: Reception, ctx: Context) -> None:
        """A request has ended: the encoder policy learns, and so may its sender's policies."""
        request = reception.request
        chosen = self.state.chosen.pop(request, None)
        if chosen is not None:
            outcome = Outcome(reception.quality, reception.latency_ns / SECOND, shown=reception.shown)
            self.study("encoder", EncoderLesson(chosen.context, chosen.choice, outcome))
        if self.around.outcomes_wanted:
            sender = request.rpartition("/")[0]
            label = f"reception:{request}"
            self.send_down(Downlink([sender], label, request, "feedback", body_bits(reception), reception), ctx)

    def on_failure(self, failure: Failure, event: Envelope, ctx: Context) -> None:
        """A request ended badly: nobody can be satisfied with it."""
        self.state.feedback.append((failure.request, 0.0))
        self.ended(Reception(failure.request, 0.0, 0, [], shown=False), ctx)

    def fail(self, request: str, reason: str, ctx: Context) -> None:
        """A request ends here."""
        ctx.record(Failure(request, self.id, reason))
        self.state.feedback.append((request, 0.0))
        self.ended(Reception(request, 0.0, 0, [], shown=False), ctx)

    def tick_sync(self, tick: Tick, ctx: Context) -> None:
        """Send what came since the last sync to the cloud; the last time one period after the traffic's end."""
        if self.state.feedback:
            ctx.send(self.settings.cloud, Satisfaction(self.id, self.state.feedback))
            self.state.feedback = []
        if ctx.now < ns(self.settings.traffic.duration_s):
            ctx.timer(ns(self.settings.traffic.feedback_sync_s), Tick("sync", tick.number + 1))
