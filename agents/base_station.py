"""The base station: the only owner of its cell's air. It queues, grants air, and carries through the channel.

Each direction is one queue; what flows to or from one user keeps its order and is sent one after the other. A grant occupies
the air for all symbols of the transfer at once, retransmissions included; the message comes out when the last one is through.
"""

from msgspec import Struct, field

from ..bus.channel import choose_mcs, segment
from ..bus.channel.csi import dequantise
from ..bus.channel.mcs import MCS_BY_NAME, MCS_TABLE, Mcs
from ..bus.clock import ns
from ..bus.content_messages import WordText
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import (
    Arrived,
    Association,
    Attach,
    CsiReport,
    Detach,
    Downlink,
    Forwarded,
    JsccPicture,
    Tick,
    Uplink,
)
from ..policies.protocols import QueuedTransfer, ScheduleContext
from .air import Crossing, attach_record, cross, installation_record, pilot_record
from .base import AgentState, NetworkAgent
from .groups import failures
from .network import Surroundings
from .settings import FIRST_MARGIN_DB
from .sketches import symbol_count

DIRECTIONS = ("up", "down")
UNKNOWN_SNR_DB = 0.0
"""What is assumed of a user that has not reported yet."""
MARGIN_STEP_DB = 0.5
"""Outer loop link adaptation: the margin falls by this times the target BLER after a first attempt that was decoded, and
rises by this times (1 - target) after one that was lost, so that in the long run the target share is lost."""
MARGIN_RANGE_DB = (-5.0, 15.0)
FAILING = ("prompt", "features")
"""Purposes without which a request cannot end well."""


class Transfer(Struct):
    """One thing that waits for air. ``flow``: its user, or ``*`` for a multicast; ``symbols``: at the most robust scheme."""

    number: int
    flow: str
    message: Uplink | Downlink
    queued_ns: int
    symbols: int


class Reported(Struct):
    """Downlink SNR of a user as it reported it: running mean, last value, and when that was measured."""

    mean_db: float
    last_db: float
    t_ns: int


class Side(Struct):
    """One direction of the air."""

    queue: list[Transfer] = field(default_factory=list)
    free_ns: int = 0
    woken_ns: int = 0
    """When the next timer for this direction is due; 0 if none is set."""
    flow_free_ns: dict[str, int] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    margin_db: dict[str, float] = field(default_factory=dict)
    last_user: str = ""


class Moved(Struct):
    """Where a user went, and at which epoch."""

    to: str
    epoch: int


class BaseStationState(AgentState):
    """All that changes in a base station."""

    epochs: dict[str, int] = field(default_factory=dict)
    """Users attached here -> association epoch."""
    moved: dict[str, Moved] = field(default_factory=dict)
    csi: dict[str, Reported] = field(default_factory=dict)
    up: Side = field(default_factory=Side)
    down: Side = field(default_factory=Side)
    transfers: int = 0
    multicasts: int = 0


class BaseStation(NetworkAgent):
    """See the module."""

    state: BaseStationState
    state_type = BaseStationState

    def __init__(self, id: str, around: Surroundings) -> None:
        super().__init__(id, around)
        self.edge = around.edge_of_station[id]
        self.radio = around.air.radio

    def start(self, ctx: Context) -> None:
        """Reference symbols are on the air until the traffic ends."""
        if self.radio.pilots:
            ctx.timer(ns(self.settings.traffic.duration_s), Tick("pilots"))

    def tick_pilots(self, tick: Tick, ctx: Context) -> None:
        """Charge the cell's reference symbols of the whole run."""
        ctx.record(pilot_record(self.settings.radio, self.settings.traffic.duration_s, self.radio))

    # --- attachment ------------------------------------------------------------------------------------------------

    def on_attach(self, attach: Attach, event: Envelope, ctx: Context) -> None:
        """A user comes; the station that it leaves is told, and the edge."""
        state, user = self.state, attach.user
        if attach.epoch <= state.epochs.get(user, -1):
            return
        state.epochs[user] = attach.epoch
        state.moved.pop(user, None)
        ctx.record(attach_record(user, self.around.air.link(self.id, user), ctx.now))
        if attach.previous:
            ctx.control(attach.previous, Detach(user, attach.epoch, self.id))
        ctx.control(self.edge, Association(user, attach.epoch, self.id, self.edge))

    def on_detach(self, detach: Detach, event: Envelope, ctx: Context) -> None:
        """A user has gone: what waits here for it, or lies at it, goes to its new station."""
        state, user = self.state, detach.user
        if detach.epoch <= state.epochs.get(user, -1):
            return
        state.epochs.pop(user, None)
        state.moved[user] = Moved(detach.to, detach.epoch)
        state.csi.pop(user, None)
        for side in (state.up, state.down):
            kept = []
            for transfer in side.queue:
                message = transfer.message
                if isinstance(message, Downlink) and len(message.users) > 1 and user in message.users:
                    rest = [name for name in message.users if name != user]
                    transfer.message = _for(message, rest)
                    ctx.send(detach.to, _for(message, [user]))
                elif transfer.flow == user:
                    ctx.send(detach.to, message)
                    continue
                kept.append(transfer)
            side.queue = kept

    # --- queues ----------------------------------------------------------------------------------------------------

    def on_uplink(self, uplink: Uplink, event: Envelope, ctx: Context) -> None:
        """A user wants to send."""
        if uplink.user in self.state.epochs:
            self.enqueue("up", uplink.user, uplink, ctx)
        else:
            self.pass_on(uplink.user, uplink, ctx)

    def on_downlink(self, downlink: Downlink, event: Envelope, ctx: Context) -> None:
        """Something for users of this cell; those that have moved get theirs at their new station."""
        here = [user for user in downlink.users if user in self.state.epochs]
        for user in downlink.users:
            if user not in self.state.epochs:
                self.pass_on(user, _for(downlink, [user]), ctx)
        if not here:
            return
        if downlink.purpose == "installation":
            ctx.record(installation_record(here, downlink.payload_bits, self.radio))
            for user in here:
                ctx.send(user, Arrived(self.id, "", downlink.body))
            return
        self.enqueue("down", here[0] if len(here) == 1 else "*", _for(downlink, here), ctx)

    def pass_on(self, user: str, message: Uplink | Downlink, ctx: Context) -> None:
        """What came after its user had gone follows it; for a user that was never here there is no way."""
        moved = self.state.moved.get(user)
        if moved:
            ctx.send(moved.to, message)
        elif message.purpose in FAILING:
            for failure in failures(message, self.id, f"{user} is not attached to this cell"):
                ctx.send(self.edge, failure)

    def enqueue(self, direction: str, flow: str, message: Uplink | Downlink, ctx: Context) -> None:
        """Put it at the end of a queue and see whether the air is free."""
        self.state.transfers += 1
        symbols = segment(message.payload_bits, MCS_TABLE[0]).complex_symbols + symbol_count(message.symbols)
        self.side(direction).queue.append(Transfer(self.state.transfers, flow, message, ctx.now, symbols))
        self.serve(direction, ctx)

    def side(self, direction: str) -> Side:
        """State of one direction."""
        return self.state.up if direction == "up" else self.state.down

    def tick_serve(self, tick: Tick, ctx: Context) -> None:
        """The air, or a user, is free again."""
        direction = DIRECTIONS[tick.number]
        side = self.side(direction)
        if side.woken_ns <= ctx.now:
            side.woken_ns = 0
        self.serve(direction, ctx)

    def serve(self, direction: str, ctx: Context) -> None:
        """Grant air if it is free and somebody may use it; else wake up when that changes."""
        side = self.side(direction)
        if not side.queue:
            return
        if side.free_ns > ctx.now:
            self.wake(direction, side.free_ns, ctx)
            return
        heads: dict[str, Transfer] = {}
        for transfer in side.queue:
            heads.setdefault(transfer.flow, transfer)
        ready = [transfer for flow, transfer in heads.items() if side.flow_free_ns.get(flow, 0) <= ctx.now]
        if not ready:
            self.wake(direction, min(side.flow_free_ns[flow] for flow in heads), ctx)
            return
        chosen = ready[0] if len(ready) == 1 else self.allocate(direction, ready, ctx)
        side.queue.remove(chosen)
        self.grant(direction, chosen, ctx)
        if side.queue:
            self.wake(direction, side.free_ns, ctx)

    def wake(self, direction: str, t_ns: int, ctx: Context) -> None:
        """Set the direction's timer, unless one is due by then."""
        side = self.side(direction)
        if not side.woken_ns or t_ns < side.woken_ns:
            side.woken_ns = t_ns
            ctx.timer(t_ns - ctx.now, Tick("serve", DIRECTIONS.index(direction)))

    def allocate(self, direction: str, ready: list[Transfer], ctx: Context) -> Transfer:
        """Let the scheduling policy choose."""
        side = self.side(direction)
        queue = tuple(
            QueuedTransfer(
                transfer.number,
                transfer.flow,
                direction,
                transfer.message.purpose,
                transfer.symbols,
                self.known_db(transfer.flow, direction, last=True),
                ctx.now - transfer.queued_ns,
                self.known_db(transfer.flow, direction, last=False) if transfer.flow in self.state.csi else None,
            )
            for transfer in ready
        )
        waiting = sorted({transfer.flow for transfer in ready})
        served = tuple((flow, side.served[flow]) for flow in waiting if flow in side.served)
        context = ScheduleContext(queue, served, side.last_user)
        choice = self.decide(
            ctx, "scheduling", "allocate", context, about=f"{self.id}:{direction}:{queue[0].number}", private=False
        )
        return next((transfer for transfer in ready if transfer.number == choice.number), ready[0])

    def known_db(self, user: str, direction: str, last: bool) -> float:
        """SNR of a user's link as reported, running mean or last value; the uplink follows by reciprocity."""
        known = self.state.csi.get(user)
        down_db = UNKNOWN_SNR_DB if known is None else known.last_db if last else known.mean_db
        return down_db + (self.around.uplink_offset_db if direction == "up" else 0.0)

    # --- the air ---------------------------------------------------------------------------------------------------

    def scheme(self, direction: str, users: list[str], payload_bits: int) -> Mcs:
        """Modulation and coding for the worst of the users, with the margin that its history asks for."""
        if self.settings.radio.fixed_mcs:
            return MCS_BY_NAME[self.settings.radio.fixed_mcs]
        side = self.side(direction)
        worst_db = min(self.known_db(user, direction, last=False) - side.margin_db.get(user, FIRST_MARGIN_DB) for user in users)
        block_bits = segment(payload_bits, MCS_TABLE[0]).block_bits
        return choose_mcs(worst_db, block_bits, self.settings.radio.target_bler)

    def adapt(self, direction: str, user: str, decoded_at_once: bool) -> None:
        """Outer loop: learn a user's margin from its acknowledgements."""
        margins, target = self.side(direction).margin_db, self.settings.radio.target_bler
        step = -MARGIN_STEP_DB * target if decoded_at_once else MARGIN_STEP_DB * (1 - target)
        low, high = MARGIN_RANGE_DB
        margins[user] = min(max(margins.get(user, FIRST_MARGIN_DB) + step, low), high)

    def grant(self, direction: str, transfer: Transfer, ctx: Context) -> None:
        """Carry a transfer through the channel, record what it cost, send on what came out."""
        side, message = self.side(direction), transfer.message
        users = message.users if isinstance(message, Downlink) else [message.user]
        links = [self.around.air.link(self.id, user) for user in users]
        mcs = self.scheme(direction, users, message.payload_bits)
        crossing = cross(links, message, ctx.now, "up" if direction == "up" else "down", mcs)
        ctx.record(crossing.record(message, users, direction, ctx.now - transfer.queued_ns))
        if len(users) == 1:
            self.adapt(direction, users[0], crossing.account.attempts == 1 and crossing.delivered[users[0]])
        side.free_ns = ctx.now + crossing.account.air_ns
        side.flow_free_ns[transfer.flow] = crossing.done_ns
        side.served[transfer.flow] = side.served.get(transfer.flow, 0) + crossing.account.total_symbols
        side.last_user = transfer.flow
        if isinstance(message, Uplink):
            self.received(message, crossing, ctx)
        else:
            self.sent(message, crossing, ctx)

    def received(self, message: Uplink, crossing: Crossing, ctx: Context) -> None:
        """An uplink transfer is over."""
        after_ns = crossing.done_ns - ctx.now
        if not crossing.delivered[message.user]:
            self.lost(message, after_ns, ctx)
            return
        if isinstance(message.body, CsiReport):
            ctx.timer(after_ns, message.body)
        forwarded = Forwarded(message.user, self.id, message.request, message.body, crossing.symbols, crossing.estimate_db)
        ctx.send(self.around.adversary_of.get(self.id, self.edge), forwarded, after_ns=after_ns)

    def sent(self, message: Downlink, crossing: Crossing, ctx: Context) -> None:
        """A downlink transfer is over."""
        after_ns = crossing.done_ns - ctx.now
        number = 0
        if len(message.users) > 1:
            self.state.multicasts += 1
            number = self.state.multicasts
        for user in message.users:
            if crossing.delivered[user]:
                arrived = Arrived(self.id, message.request, message.body, crossing.symbols, crossing.estimate_db, number)
                ctx.send(user, arrived, after_ns=after_ns)
            else:
                self.lost(_for(message, [user]), after_ns, ctx)

    def lost(self, message: Uplink | Downlink, after_ns: int, ctx: Context) -> None:
        """All attempts are used up."""
        if message.purpose in FAILING:
            what = "header" if isinstance(message.body, JsccPicture | WordText) else message.purpose
            reason = f"{what} lost after {self.radio.max_attempts} transmissions"
            for failure in failures(message, self.id, reason):
                ctx.send(self.edge, failure, after_ns=after_ns)

    def on_csi_report(self, report: CsiReport, event: Envelope, ctx: Context) -> None:
        """A report has come through this cell: it tells this station about the link as well."""
        if self.state.epochs.get(report.user) != report.epoch:
            return  # measured at another station
        snr_db = dequantise(report.level, self.radio.csi_bits)
        known = self.state.csi.get(report.user)
        mean_db = snr_db if known is None or not report.request else known.mean_db
        self.state.csi[report.user] = Reported(mean_db, snr_db, report.t_ns)


def _for(message: Downlink, users: list[str]) -> Downlink:
    """The same for other users."""
    if users == message.users:
        return message
    return Downlink(users, message.label, message.request, message.purpose, message.payload_bits, message.body, message.symbols)
