"""The ledger of credits at a user: it votes, follows the chain, and attests blocks when it is elected."""

from ..bus.blocks import Attestation, Ballot, Proposal, SealedBlock
from ..bus.engine import Context
from ..bus.messages import Arrived
from ..policies.incentive.ledger import advance, attest, attested, choose, majority, objection
from .accounting import body_bits
from .signatures import key_of
from .user_state import UserBase


class UserLedger(UserBase):
    """Only where the incentive keeps a ledger. A user that finds that it has missed blocks asks for them, one after the other."""

    def vote(self, ctx: Context) -> None:
        """Vote in the own interest, if that has changed since the last ballot."""
        rules, tally = self.rules, self.state.tally
        if rules is None:
            return
        votes = list(choose(self.id, tally, rules.validators))
        if sorted(votes) != sorted(self.state.votes):
            self.state.votes = votes
            ballot = Ballot(votes)
            self.send_up(ctx, f"ballot:{self.id}:{tally.number}", "ledger", body_bits(ballot), ballot)

    def got_proposal(self, proposal: Proposal, message: Arrived, ctx: Context) -> None:
        """A block to be attested, now or once the blocks before it are known."""
        self.state.proposed = proposal.block
        self.check(proposal.block.number - 1, ctx)

    def got_sealed_block(self, sealed: SealedBlock, message: Arrived, ctx: Context) -> None:
        """Follow the chain, if the block is what it says, and vote anew."""
        rules, block = self.rules, sealed.block
        if rules is not None and not objection(self.state.tally, block, rules):
            valid = attested(block, tuple(sealed.seal), lambda user: key_of(ctx.seed, user))
            if len(valid) >= majority(len(block.validators)):
                self.state.tally = advance(self.state.tally, block)
                self.vote(ctx)
        self.check(block.number, ctx)

    def check(self, heard: int, ctx: Context) -> None:
        """Having heard of block ``heard``: ask for the next one missing, or attest what waits for it."""
        rules, block, number = self.rules, self.state.proposed, self.state.tally.number
        self.state.heard = max(self.state.heard, heard)
        if rules is None:
            return
        if self.state.heard >= number:
            self.send_attestation(number, b"", ctx)
        elif block is not None and self.id in block.validators and not objection(self.state.tally, block, rules):
            self.state.proposed = None
            self.send_attestation(number, attest(block, key_of(ctx.seed, self.id)), ctx)

    def send_attestation(self, number: int, tag: bytes, ctx: Context) -> None:
        """Send an attestation, or with an empty tag ask for a block."""
        attestation = Attestation(number, tag)
        self.send_up(ctx, f"attestation:{self.id}:{ctx.now}", "ledger", body_bits(attestation), attestation)
