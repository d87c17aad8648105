"""Baseline: nothing is paid."""

from typing import ClassVar

from ..protocols import Draw, IncentiveTerms, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import CLAIMS, take_it_or_leave_it


class NoIncentive:
    """Baseline: no rewards; users share only what pays for itself by better service."""

    claims: ClassVar[tuple[str, ...]] = CLAIMS

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish no rewards."""
        return IncentiveTerms("none", {}, "nothing is paid")

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """Share where the utility alone covers the cost."""
        return take_it_or_leave_it(context)

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Pay nothing and use everything that was shared."""
        return Settlement(tuple((user, 0.0) for user, _, _ in context.shared), "nothing is paid")
