"""The adversary: it sits on the wire between a base station and its edge, where all passes that goes to or from the cell.

It changes what passes (*tamper*), sends old messages again (*replay*), and sends prompts of its own in the name of users whom
it has heard (*forge*; many at once: *flood*). It never holds anything back. It knows the formats, all of which are public, and
no keys: what it changes keeps a signature that no longer holds, what it makes gets one that never did. Where nothing is signed,
it gives an old prompt a new number. What is never signed it leaves alone: CSI, feedback, pictures, summaries, the operator's
control. Being on a wire it takes no air for itself; all that follows from what it sends is charged like anything else.

What it did is on its private record (``Attack``), for metrics alone. All its draws are keyed.
"""

import math
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, field

from ..bus import keys
from ..bus.clock import MS, ns
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Downlink, Forwarded, Prompt, Tick
from ..bus.records import Attack
from ..bus.signed import Signable, Signature
from .base import AgentState, NetworkAgent
from .falsifying import crafted, falsified
from .network import Surroundings, backhaul_ns
from .prompt_codec import NUMBER_BITS
from .signatures import TAG_BYTES, kind, mark_of

TAMPER, REPLAY, FLOOD, FORGE = "tamper", "replay", "flood", "forge"
ATTACKS = (TAMPER, REPLAY, FLOOD, FORGE)
MOST_REMEMBERED = 64


class AdversaryState(AgentState):
    """All that changes in an adversary."""

    passed: dict[str, int] = field(default_factory=dict)
    """Kind, victim and request -> how often such a message passed that could be changed."""
    remembered: list[Forwarded | Downlink] = field(default_factory=list)
    """What it let pass unchanged, the last ones."""
    counters: dict[str, int] = field(default_factory=dict)
    """User -> the counter of its last signature, or 0 where nothing is signed."""
    made: int = 0
    """Prompts under numbers of its own."""


class Adversary(NetworkAgent):
    """One on the wire of one base station."""

    state: AdversaryState
    state_type = AdversaryState

    def __init__(self, id: str, around: Surroundings) -> None:
        super().__init__(id, around)
        self.bs = next(bs for bs, own in around.adversary_of.items() if own == id)
        self.edge = around.edge_of_station[self.bs]
        chosen = self.settings.adversary
        self.rates = {REPLAY: chosen.replay_hz, FLOOD: chosen.flood_hz, FORGE: chosen.forge_hz}

    def start(self, ctx: Context) -> None:
        """Attacks come by chance, from the beginning of the traffic."""
        for attack in self.rates:
            self.next_attack(attack, ns(self.settings.traffic.start_s), 0, ctx)

    def next_attack(self, attack: str, after_t_ns: int, number: int, ctx: Context) -> None:
        """Set the timer of an attack that follows one at ``after_t_ns``."""
        if self.rates[attack] <= 0:
            return
        gap_s = -math.log1p(-ctx.draw("adversary", attack, self.id, number)) / self.rates[attack]
        t_ns = after_t_ns + ns(gap_s)
        if t_ns < ns(self.settings.traffic.duration_s):
            ctx.timer(t_ns - ctx.now, Tick(attack, number))

    # --- what passes -----------------------------------------------------------------------------------------------

    def on_forwarded(self, message: Forwarded, event: Envelope, ctx: Context) -> None:
        """From the base station to the edge."""
        body = message.body
        if isinstance(body, Prompt):
            self.state.counters[message.user] = 0 if isinstance(body.signature, UnsetType) else body.signature.counter
        self.pass_on(self.edge, message, message.user, ctx)

    def on_downlink(self, message: Downlink, event: Envelope, ctx: Context) -> None:
        """From the edge to the base station."""
        self.pass_on(self.bs, message, message.users[0], ctx)

    def pass_on(self, to: str, message: Forwarded | Downlink, victim: str, ctx: Context) -> None:
        """Let a message go on, changed or not."""
        body, state = message.body, self.state
        if not isinstance(body, Signable):
            ctx.send(to, message)
            return
        what = f"{kind(body)}:{victim}:{message.request}"
        attempt = state.passed[what] = state.passed.get(what, -1) + 1
        if ctx.draw("adversary", TAMPER, self.id, what, attempt) < self.settings.adversary.tamper:
            changed = falsified(body, ctx.seed, self.id, what, attempt)
            if changed != body:  # who declines to share, or asks again, says nothing that could be
                self.send(TAMPER, to, msgspec.structs.replace(message, body=changed), victim, ctx)
                return
        state.remembered = [*state.remembered, message][-MOST_REMEMBERED:]
        ctx.send(to, message)

    # --- what it sends of its own accord ---------------------------------------------------------------------------

    def tick_replay(self, tick: Tick, ctx: Context) -> None:
        """Send an old message again."""
        self.next_attack(REPLAY, ctx.now, tick.number + 1, ctx)
        known = self.state.remembered
        if not known:
            return
        old: Any = known[keys.integer(len(known), ctx.seed, "adversary", "which", self.id, tick.number)]
        if isinstance(old, Downlink):
            relabelled = msgspec.structs.replace(old, label=f"{old.label}:replay:{self.id}:{tick.number}")
            self.send(REPLAY, self.bs, relabelled, old.users[0], ctx, again=True)
        elif isinstance(old.body, Prompt) and isinstance(old.body.signature, UnsetType):
            request, body = self.renumbered(old.user, old.body)
            self.send(REPLAY, self.edge, msgspec.structs.replace(old, request=request, body=body), old.user, ctx)
        else:
            self.send(REPLAY, self.edge, old, old.user, ctx, again=True)

    def tick_forge(self, tick: Tick, ctx: Context) -> None:
        """Send one prompt in a victim's name."""
        self.next_attack(FORGE, ctx.now, tick.number + 1, ctx)
        self.forge(FORGE, tick.number, 0, ctx)

    def tick_flood(self, tick: Tick, ctx: Context) -> None:
        """Send many, one each millisecond."""
        self.next_attack(FLOOD, ctx.now, tick.number + 1, ctx)
        for index in range(self.settings.adversary.flood_size):
            self.forge(FLOOD, tick.number, index, ctx)

    def forge(self, attack: str, number: int, index: int, ctx: Context) -> None:
        """A prompt with content of the adversary's making, to anybody, in the name of somebody whom it has heard."""
        victims = sorted(self.state.counters)
        if not victims:
            return
        key = (ctx.seed, "adversary", attack, self.id, number)
        victim = victims[keys.integer(len(victims), *key, "victim")]
        others = [index for index, user in enumerate(self.around.users) if user != victim] or [0]
        recipient = others[keys.integer(len(others), *key, "recipient", index)]
        data, parts = crafted(recipient, ctx.now // MS, *key, index)
        request, body = self.renumbered(victim, Prompt("", self.around.users[recipient], ctx.now, parts, data))
        if self.settings.security.signatures:
            tag = keys.digest((*key, index, "tag"), TAG_BYTES)
            body = msgspec.structs.replace(body, signature=Signature(self.state.counters[victim] + 1, tag))
        self.send(attack, self.edge, Forwarded(victim, self.bs, request, body), victim, ctx, after_ns=index * MS)

    def renumbered(self, victim: str, prompt: Prompt) -> tuple[str, Prompt]:
        """A prompt under a request number that its victim will not use: from the highest down, other adversaries' left out."""
        own, adversaries = sorted(self.around.adversary_of.values()).index(self.id), len(self.around.adversary_of)
        number = (1 << NUMBER_BITS) - 1 - (self.state.made * adversaries + own)
        self.state.made += 1
        request = f"{victim}/{number}"
        data = number.to_bytes(NUMBER_BITS // 8, "big") + prompt.data[NUMBER_BITS // 8 :]
        return request, msgspec.structs.replace(prompt, request=request, data=data, signature=UNSET)

    def send(
        self,
        attack: str,
        to: str,
        message: Forwarded | Downlink,
        victim: str,
        ctx: Context,
        *,
        again: bool = False,
        after_ns: int = 0,
    ) -> None:
        """Send it, and put on record what it was; a prompt that is sent on top takes its time on the wire."""
        body: Any = message.body
        ctx.record(Attack(attack, victim, message.request, kind(body), mark_of(body), again), private=True)
        extra_ns = 0 if attack == TAMPER or not isinstance(body, Prompt) else backhaul_ns(8 * len(body.data))
        ctx.send(to, message, after_ns=after_ns + extra_ns)
