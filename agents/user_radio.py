"""A user and its channel: which base station serves it, what it measures, when it reports and hands over.

Where the scenario lets users go idle (``radio.idle_s``), one that has no traffic neither measures nor reports; it only looks for
a better station when it may have moved far enough. Its next picture, or whatever arrives for it, wakes it up.
"""

from ..bus.channel.csi import dequantise, quantise
from ..bus.clock import ns
from ..bus.engine import Context
from ..bus.messages import Arrived, Attach, CsiReport, CsiRequest, Tick
from .accounting import csi_bits
from .csi import LEAST_GAP, RunningMean
from .knowledge.items import NETWORK
from .user_state import UserBase

HANDOVER_TICKS = 5
"""Measurements between two looks at the other base stations."""
HYSTERESIS_DB = 3.0
"""How much better another one must be."""


class UserRadio(UserBase):
    """Attachment, measurement, handover."""

    def begin_radio(self, ctx: Context) -> None:
        """Attach to the station of best mean gain and begin to measure."""
        air = self.around.air
        equal = air.radio.fixed_snr_db is not None  # all links are
        self.attach((air.nearest if equal else air.strongest)(self.id, 0), ctx)
        if self.settings.radio.idle_s:
            self.rest(ctx)
        else:
            self.tick_measure(Tick("measure"), ctx)

    # --- idle users --------------------------------------------------------------------------------------------------

    def wake(self, ctx: Context) -> None:
        """There is traffic: measure from now on, and tell the station at once."""
        if not self.settings.radio.idle_s:
            return
        self.state.active_ns = ctx.now
        if self.state.resting:
            self.state.resting = False
            self.tick_measure(Tick("measure"), ctx)

    def rest(self, ctx: Context) -> None:
        """Stop to measure, until there is traffic."""
        self.state.resting = True
        if not self.state.watching:
            self.watch(ctx)

    def watch(self, ctx: Context) -> None:
        """Set the date by which an idle user may have moved so far that another station could be better."""
        speed_mps = self.around.air.speed_mps(self.id)
        self.state.watching = speed_mps > 0 and len(self.around.air.stations) > 1
        if self.state.watching:
            ctx.timer(ns(self.settings.radio.idle_move_m / speed_mps), Tick("moved"))

    def tick_moved(self, tick: Tick, ctx: Context) -> None:
        """An idle user has moved: what it measured before holds no longer, and there may be a better station."""
        self.state.watching = False
        if ctx.now >= self.traffic_ends_ns or not self.state.resting:
            return
        self.state.mean, self.state.reported_db = RunningMean(), None
        self.consider_handover(ctx)
        self.watch(ctx)

    # --- the channel -------------------------------------------------------------------------------------------------

    def attach(self, bs: str, ctx: Context) -> None:
        """Go to a base station; what is known of the channel was another channel's."""
        state = self.state
        previous, state.bs = state.bs, bs
        state.epoch += 1
        state.mean, state.reported_db = RunningMean(), None
        ctx.control(bs, Attach(self.id, state.epoch, previous))
        self.learn(ctx, NETWORK, "serving", f"served by {bs} since epoch {state.epoch}")

    def tick_measure(self, tick: Tick, ctx: Context) -> None:
        """Measure the reference symbols; report the mean when it has changed; look for a better station now and then."""
        state, radio = self.state, self.around.air.radio
        if ctx.now >= self.traffic_ends_ns:
            return
        if self.settings.radio.idle_s and ctx.now - state.active_ns > ns(self.settings.radio.idle_s):
            self.rest(ctx)
            return
        state.ticks += 1
        if state.ticks % HANDOVER_TICKS == 0:
            self.consider_handover(ctx)
        self.measure(ctx)
        state.mean.add(dequantise(state.last_level, radio.csi_bits))
        state.since_report += 1
        mean_db = state.mean.db
        changed = state.reported_db is None or abs(mean_db - state.reported_db) >= self.settings.radio.csi_change_db
        if changed and (state.reported_db is None or state.since_report >= LEAST_GAP):
            level = quantise(mean_db, radio.csi_bits)
            state.reported_db, state.since_report = mean_db, 0
            self.report(level, "", ctx)
        ctx.timer(ns(self.settings.radio.csi_period_s), Tick("measure"))

    def measure(self, ctx: Context) -> None:
        """One measurement of the fading channel, from pilots, quantised."""
        measured = self.around.air.link(self.state.bs, self.id).measure(ctx.now, "down")
        self.state.last_level, self.state.last_csi_ns = measured.level, ctx.now

    def report(self, level: int, request: str, ctx: Context) -> None:
        """Send a report up; where the scenario delays CSI, later."""
        report = CsiReport(self.id, self.state.epoch, ctx.now, level, request)
        bits = csi_bits(report, self.around.air.radio.csi_bits)
        label = f"csi:{self.id}:{ctx.now}:{request}"
        self.send_up(ctx, label, "csi", bits, report, request=request, after_ns=ns(self.settings.radio.csi_delay_s))

    def got_csi_request(self, request: CsiRequest, message: Arrived, ctx: Context) -> None:
        """The edge wants to know the channel now."""
        self.measure(ctx)
        self.report(self.state.last_level, request.request, ctx)

    def consider_handover(self, ctx: Context) -> None:
        """Go to another station if it is better by the hysteresis."""
        air = self.around.air
        if air.radio.fixed_snr_db is not None or len(air.stations) < 2:
            return
        best = air.strongest(self.id, ctx.now)
        if best == self.state.bs:
            return
        here_db = air.link(self.state.bs, self.id).mean_snr_db(ctx.now, "down")
        if air.link(best, self.id).mean_snr_db(ctx.now, "down") >= here_db + HYSTERESIS_DB:
            self.attach(best, ctx)
