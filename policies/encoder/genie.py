"""The codec that suits the channel as it will be: an upper bound for all choices by CSI, not a policy that could exist."""

from ...bus.errors import BadInput
from ..protocols import Draw, EncoderChoice, EncoderContext
from .worth import DENOISE_BELOW_DB, Price, predicted_psnr_db, price_db, rank


class Genie:
    """Argmax of ``PSNR - price symbols`` at the true SNR of the first symbol, over the codecs that everybody has.

    It knows the SNR only: neither the noise of the picture's symbols nor what the very picture loses by a codec.
    """

    privileged = True

    def __init__(self, parameters: Price) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose by the truth.

        Raises:
            BadInput: The context holds none.
        """
        snr_db = context.truth
        if snr_db is None:
            raise BadInput(
                "the oracle `genie` was not told the true SNR", "only a run whose encoder policy is an oracle knows it"
            )
        price = self.parameters.db_per_ksymbol
        rated = [(predicted_psnr_db(card, snr_db) - price_db(card, price), card) for card in context.codecs]
        worth, best = max(rated, key=lambda row: rank(*row))
        denoise = not context.denoiser or snr_db < DENOISE_BELOW_DB
        return EncoderChoice(best.name, f"true SNR {snr_db:.1f} dB: worth {worth:.2f} dB", denoise)
