"""The ledger of credits at the cloud: it proposes blocks, and pays for and uses what a sealed block holds, nothing else."""

from collections.abc import Sequence

from ..bus.blocks import Attestation, Ballot, Block, Entry, Proposal, SealedBlock
from ..bus.clock import ns
from ..bus.engine import Context
from ..bus.messages import Forwarded, Settlement, SharedItem, Tick
from ..policies.incentive.ledger import advance, attested, majority, propose
from ..policies.incentive.sharing import MICRO, micro_down
from .accounting import body_bits
from .cloud_state import CloudBase, Taken
from .knowledge.items import HISTORY
from .ledger import rounds_of
from .signatures import key_of


class CloudLedger(CloudBase):
    """Only where the incentive keeps a ledger."""

    def begin_rounds(self, ctx: Context) -> None:
        """Set the dates of the later rounds: one at the end of each feedback period of the service."""
        traffic = self.settings.traffic
        for number in range(1, rounds_of(traffic)):
            ctx.timer(ns(traffic.start_s + number * traffic.feedback_sync_s) - ctx.now, Tick("round", number))

    def credits_left(self) -> float:
        """Credits of the budget that are left for contributions."""
        ledger = self.ledger
        budget = self.settings.knowledge.budget
        return budget if ledger is None else (micro_down(ledger.for_contributions(budget)) - self.state.ledger.spent) / MICRO

    def got_ballot(self, ballot: Ballot, message: Forwarded, ctx: Context) -> None:
        """It counts from the next block on; one that no block could hold, or for nobody's name, does not count."""
        votes = tuple(ballot.votes)
        known = len(set(votes)) == len(votes) and all(name in self.around.user_settings for name in votes)
        if self.rules is not None and known and len(votes) <= self.rules.validators:
            self.state.ledger.ballots[message.user] = votes

    def tick_round(self, tick: Tick, ctx: Context) -> None:
        """Settle what has come since, and propose the next block."""
        later, self.state.ledger.later = self.state.ledger.later, []
        users = sorted({user for user, _ in later})
        rewards = {HISTORY: self.state.rewards.get(HISTORY, 0.0)}
        items = {user: [item for owner, item in later if owner == user] for user in users}
        offered = [(user, [(HISTORY, item) for item in items[user]], rewards[HISTORY] * len(items[user])) for user in users]
        self.enter(*self.settle(offered, rewards, f"settle:{tick.number}", ctx), ctx)

    def settle(
        self,
        offered: Sequence[tuple[str, list[tuple[str, SharedItem]], float]],
        rewards: dict[str, float],
        about: str,
        ctx: Context,
    ) -> tuple[Taken, tuple[tuple[str, float], ...]]:
        """Have what was offered settled: (user, items with their kinds, credits asked) -> accepted items, payments.

        ``rewards`` are those of the kinds that can be in it.
        """
        raise NotImplementedError

    def use(self, taken: Taken, ctx: Context) -> None:
        """Use what was accepted."""
        raise NotImplementedError

    def enter(self, taken: Taken, payments: Sequence[tuple[str, float]], ctx: Context) -> None:
        """Write a settlement into the next block, with whatever the last one could not get attested, and propose it."""
        state = self.state.ledger
        for user, credits in payments:
            kinds = [kind for owner, kind, _ in taken if owner == user]
            if kinds:
                state.entries.append(Entry(user, "+".join(dict.fromkeys(kinds)), micro_down(credits)))
                state.spent += micro_down(credits)
        state.taken += taken
        assert self.rules is not None
        block = state.proposed = propose(state.tally, list(state.ballots.items()), state.entries, self.rules)
        state.seal = {}
        if block.validators:
            body = Proposal(block)
            label = f"proposal:{block.number}:{ctx.now}"
            self.multicast(ctx, label, "ledger", body_bits(body), body, sorted(block.validators))

    def got_attestation(self, attestation: Attestation, message: Forwarded, ctx: Context) -> None:
        """Count it; the one that makes the majority seals the block. A user that asks for a block gets it again."""
        state = self.state.ledger
        if not attestation.tag and attestation.number < len(state.chain):
            missed = state.chain[attestation.number]
            label = f"block:{attestation.number}:{message.user}:{ctx.now}"
            self.multicast(ctx, label, "ledger", body_bits(missed), missed, [message.user])
            return
        block, seal = state.proposed, ((message.user, attestation.tag),)
        if block is None or not attested(block, seal, lambda user: key_of(ctx.seed, user)):
            return
        state.seal[message.user] = attestation.tag
        if len(state.seal) >= majority(len(block.validators)):
            self.seal(block, ctx)

    def seal(self, block: Block, ctx: Context) -> None:
        """The block belongs to the chain: record and announce it, pay, and use what was accepted."""
        state = self.state.ledger
        sealed = SealedBlock(block, sorted(state.seal.items()))
        state.chain.append(sealed)
        ctx.record(sealed)
        self.multicast(ctx, f"block:{block.number}", "ledger", body_bits(sealed), sealed)
        earned: dict[str, int] = {}
        for entry in block.entries:
            earned[entry.user] = earned.get(entry.user, 0) + entry.credits
        for user, credits in earned.items():
            payment = Settlement(user, credits / MICRO)
            self.multicast(ctx, f"settlement:{user}:{block.number}", "ledger", body_bits(payment), payment, [user])
        taken, state.taken, state.entries, state.proposed = state.taken, [], [], None
        cast = dict(block.ballots)
        state.ballots = {user: votes for user, votes in state.ballots.items() if cast.get(user) != votes}
        state.tally = advance(state.tally, block)
        self.use(taken, ctx)
