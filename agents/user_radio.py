"""A user and its channel: which base station serves it, what it measures, when it reports and hands over."""

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
        if air.radio.fixed_snr_db is None:
            best = air.strongest(self.id, 0)
        else:  # all links are equal: the nearest one
            x, y = air.position(self.id, 0)
            best = min(sorted(air.stations), key=lambda bs: (air.stations[bs][0] - x) ** 2 + (air.stations[bs][1] - y) ** 2)
        self.attach(best, ctx)
        self.tick_measure(Tick("measure"), ctx)

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
