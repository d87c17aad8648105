"""Posted prices whose payments are kept in a ledger by delegated proof of stake."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import structs

from ..protocols import Draw, IncentiveTerms, TermsContext
from .ledger import Ledger
from .posted import Parameters as Prices
from .posted import Posted


@dataclass(frozen=True)
class Parameters(Prices):
    """Those of ``posted``, and the ledger's."""

    validators: Annotated[int, "users elected to validate each block"] = 4
    fee: Annotated[float, "share of the budget that validators earn, evenly over blocks and validators"] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.validators <= 64 or not 0.0 <= self.fee <= 1.0:
            raise ValueError(f"validators = {self.validators}, fee = {self.fee}: 1 to 64, 0 to 1")


class Dpos(Posted):
    """Posted prices with a ledger: contributions earn credits and stake, stake elects validators, validators earn a fee.

    The cloud keeps the ledger (``ledger.py``) and asks this policy to settle the answers to its terms, then further pictures
    (kind ``history``) once in each period of the service, each time with what is left of the budget for contributions: all
    but the share ``fee``. So all payments, fees included, stay within the budget.
    What a round promises is what ``posted`` promises, fees included: a block's validators are elected before its
    contributions are known, and their fee does not depend on these. Across rounds credits are stake as well, which may be worth
    the chance of a later fee: that is not counted, and voting for oneself is allowed.
    """

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.ledger = Ledger(parameters.validators, parameters.fee)

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish the prices."""
        return structs.replace(super().terms(context, rng), mechanism="dpos")
