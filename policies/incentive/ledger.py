"""A ledger of credits for contributions, kept by delegated proof of stake: hash-chained blocks and elected validators.

GAI-SCN (Xia et al., arXiv 2308.15483, open issues) names a "delegated proof of stake-based blockchain" as an incentive, and
no more. The rules here are those of DPoS as deployed in EOSIO ("EOS.IO Technical White Paper v2", 2018, "Consensus Algorithm
(BFT-DPOS)": github.com/EOSIO/Documentation/blob/master/TechnicalWhitePaper.md), reduced to what a network with a cloud needs:

- *Stake* is what a user has earned in the ledger so far. Its vote weighs one micro-credit more than that, so that somebody
  is elected while nobody has earned anything.
- *Delegation* is approval voting: a ballot names up to ``validators`` users, each of whom gets the voter's whole weight. A
  ballot stands until its user casts another.
- *Election*: before each block the most approved are elected; ties are broken by the hash of the head and the name.
- *Production*: the cloud proposes the block, as it is the cloud that takes and pays for contributions. Each validator checks it
  against the chain as it knows it and attests it. A block belongs to the chain when more than two thirds of its validators
  attest it (15 of 21 in EOSIO). An attestation is a keyed blake2b hash of the block's hash.
- *Fees*: each elected validator earns the same stated fee for each block, whatever is in it.

Everybody follows the whole chain, so the work for a block grows with the square of the number of users: it is meant for up to
a thousand or two. Left out: signatures by private keys (keys follow from the run's seed, so that everyone who knows it can check
them), penalties, and forks, as there is one producer. What is missing after the last block cannot be seen from the chain alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
from msgspec import Struct, field

from ...bus.blocks import Block, Entry
from .sharing import MICRO, micro_down

HASH_BYTES = 32
GENESIS = bytes(HASH_BYTES)
"""What the first block follows."""
VALIDATION = "validation"
"""The contribution for which validators earn their fee."""
Seal = tuple[tuple[str, bytes], ...]
"""Attestations as (validator, keyed hash)."""
KeyOf = Callable[[str], bytes]
"""User -> its key of 32 bytes."""


class Rules(Struct, frozen=True):
    """Rules of one chain: ``validators`` elected for a block, the ``fee`` of each and the ``budget`` of all, in micro-credits."""

    validators: int
    fee: int
    budget: int


@dataclass(frozen=True)
class Ledger:
    """What an incentive says of the ledger that it wants kept: class or instance attribute ``ledger`` of the policy.

    ``validators``: how many are elected for a block. ``fee``: share of the budget for them; the rest is for contributions.
    """

    validators: int
    fee: float

    def rules(self, budget: float, rounds: int) -> Rules:
        """The chain's rules when ``budget`` credits are to do for ``rounds`` blocks."""
        each = int(micro_down(budget) * self.fee) // max(1, rounds * self.validators)
        return Rules(self.validators, each, micro_down(budget))

    def for_contributions(self, budget: float) -> float:
        """Credits of a budget that are left for contributions."""
        return (micro_down(budget) - int(micro_down(budget) * self.fee)) / MICRO


class Tally(Struct):
    """What follows from the blocks so far: number and previous hash of the next, stakes in micro-credits, ballots that stand."""

    number: int = 0
    head: bytes = GENESIS
    stakes: dict[str, int] = field(default_factory=dict)
    ballots: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Broken:
    """The first block that does not hold, and why."""

    number: int
    reason: str


def hash_of(block: Block) -> bytes:
    """blake2b of the block as MessagePack, which is canonical: arrays, shortest integers, sorted ballots."""
    return blake2b(msgspec.msgpack.encode(block), digest_size=HASH_BYTES).digest()


def attest(block: Block, key: bytes) -> bytes:
    """An attestation of a block."""
    return blake2b(hash_of(block), key=key, digest_size=HASH_BYTES).digest()


def majority(validators: int) -> int:
    """The smallest number that is more than two thirds."""
    return 2 * validators // 3 + 1


def elect(tally: Tally, ballots: Sequence[tuple[str, tuple[str, ...]]], count: int) -> tuple[str, ...]:
    """The ``count`` most approved users, by the ballots that stand and new ones; fewer if fewer are named."""
    votes: dict[str, int] = {}
    for voter, approved in sorted((tally.ballots | dict(ballots)).items()):
        for name in approved:
            votes[name] = votes.get(name, 0) + 1 + tally.stakes.get(voter, 0)
    return tuple(sorted(votes, key=lambda name: (-votes[name], _lot(tally.head, name)))[:count])


def choose(voter: str, tally: Tally, count: int) -> tuple[str, ...]:
    """A user's ballot in its own interest: itself, who would earn the fee, then the others with most to lose.

    Those are the others with the highest stakes above 0, ties by lot.
    """
    others = [name for name, stake in tally.stakes.items() if stake > 0 and name != voter]
    others.sort(key=lambda name: (-tally.stakes[name], _lot(tally.head, name)))
    return (voter, *others[: count - 1])


def propose(tally: Tally, ballots: Sequence[tuple[str, tuple[str, ...]]], entries: Sequence[Entry], rules: Rules) -> Block:
    """The next block: validators elected, their fees after the contributions."""
    cast = tuple(sorted(ballots))
    validators = elect(tally, cast, rules.validators)
    fees = tuple(Entry(name, VALIDATION, rules.fee) for name in validators if rules.fee)
    return Block(tally.number, tally.head, cast, validators, (*entries, *fees))


def advance(tally: Tally, block: Block) -> Tally:
    """The tally after a block that follows."""
    stakes = dict(tally.stakes)
    for entry in block.entries:
        stakes[entry.user] = stakes.get(entry.user, 0) + entry.credits
    return Tally(tally.number + 1, hash_of(block), stakes, tally.ballots | dict(block.ballots))


def objection(tally: Tally, block: Block, rules: Rules) -> str:
    """Why a block does not follow on the blocks before; empty if it does. What every validator checks before it attests."""
    if block.number != tally.number:
        return f"its number is {block.number}, {tally.number} is due"
    if block.previous != tally.head:
        return "it does not name the hash of the block before"
    voters = [voter for voter, _ in block.ballots]
    if voters != sorted(set(voters)) or any(len(set(named)) < len(named) for _, named in block.ballots):
        return "its ballots are out of order, or a ballot names somebody twice"
    if any(len(named) > rules.validators for _, named in block.ballots):
        return f"a ballot names more than {rules.validators}"
    elected = elect(tally, block.ballots, rules.validators)
    if block.validators != elected:
        return f"its validators are {', '.join(block.validators)}, elected were {', '.join(elected)}"
    if any(entry.credits < 0 for entry in block.entries):
        return "an entry takes credits away"
    fees = tuple((entry.user, entry.credits) for entry in block.entries if entry.contribution == VALIDATION)
    if fees != tuple((name, rules.fee) for name in elected if rules.fee):
        return f"the fees are not {rules.fee / MICRO:g} credits for each validator"
    if sum(tally.stakes.values()) + sum(entry.credits for entry in block.entries) > rules.budget:
        return f"its credits exceed the budget of {rules.budget / MICRO:g}"
    return ""


def attested(block: Block, seal: Seal, key_of: KeyOf) -> tuple[str, ...]:
    """The block's validators whose attestations hold, each once."""
    valid = {name: None for name, tag in seal if name in block.validators and tag == attest(block, key_of(name))}
    return tuple(valid)


def verify(chain: Sequence[tuple[Block, Seal]], rules: Rules, key_of: KeyOf) -> Broken | None:
    """Check a chain from its first block on.

    Args:
        chain: Blocks with their attestations, first block first.
        rules: Of the chain.
        key_of: The keys that attestations are made with.

    Returns:
        The first broken block and why, or None.
    """
    tally = Tally()
    for block, seal in chain:
        if reason := objection(tally, block, rules):
            return Broken(tally.number, reason)
        valid, needed = attested(block, seal, key_of), majority(len(block.validators))
        if len(valid) < needed:
            return Broken(tally.number, f"{len(valid)} of its {len(block.validators)} validators attest it, {needed} are needed")
        if len(valid) < len(seal):
            return Broken(tally.number, "its seal holds an attestation that is none, or one twice")
        tally = advance(tally, block)
    return None


def _lot(head: bytes, name: str) -> bytes:
    return blake2b(head + name.encode(), digest_size=16).digest()
