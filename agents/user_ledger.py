"""The ledger of credits at a user: it votes, follows the chain, and attests blocks when it is elected."""

from ..bus.engine import Context
from ..bus.messages import Arrived, Attestation, Ballot, Proposal, SealedBlock
from ..policies.incentive.ledger import advance, attest, attested, choose, majority, objection
from .accounting import body_bits
from .ledger import key_of
from .user_state import UserBase


class UserLedger(UserBase):
    """Only where the incentive keeps a ledger. A user that has missed a block can follow no further, and attests no more."""

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
        """Check a block and attest it."""
        rules, block = self.rules, proposal.block
        if rules is None or self.id not in block.validators or objection(self.state.tally, block, rules):
            return
        attestation = Attestation(block.number, attest(block, key_of(ctx.seed, self.id)))
        self.send_up(ctx, f"attestation:{self.id}:{ctx.now}", "ledger", body_bits(attestation), attestation)

    def got_sealed_block(self, sealed: SealedBlock, message: Arrived, ctx: Context) -> None:
        """Follow the chain, if the block is what it says, and vote anew."""
        rules, block = self.rules, sealed.block
        if rules is None or objection(self.state.tally, block, rules):
            return
        valid = attested(block, tuple(sealed.seal), lambda user: key_of(ctx.seed, user))
        if len(valid) >= majority(len(block.validators)):
            self.state.tally = advance(self.state.tally, block)
            self.vote(ctx)
