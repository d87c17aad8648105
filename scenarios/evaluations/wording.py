"""What the repair of wording makes of damaged captions of held-out scenes."""

from ...agents.models.loading import PROFILES, WEIGHTS
from . import Request
from .score import Score, Skipped, mean

NAMES = tuple(
    f"wording_{what}" for what in ("word_f1_damaged", "word_f1_repaired", "word_f1_gain", "readable_damaged", "readable")
)


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """F1 of words against the caption as it was, before and after with the gain; share of captions that can be read, likewise.

    Each case is a caption with lost, wrong, strange and doubled words (`training.wording.damaged`; captions that stayed whole
    count) and a KB that holds the receiver's own subject and in half of the cases the background.
    """
    if "keywords" not in PROFILES.get(request.profile, {}) or request.profile != "tiny":
        return {name: Skipped(f"profile {request.profile} has no model that repairs wording") for name in NAMES}
    from ...agents.models.tiny.wording import load, well_formed
    from ...agents.models.training.wording import damaged, word_f1

    wording = load(WEIGHTS / "keywords")
    cases = [damaged("evaluation", "wording", index) for index in range(request.scenes)]
    repaired = [wording.repaired(text, known) for text, known, _ in cases]
    before = [word_f1(text, told) for text, _, told in cases]
    after = [word_f1(text, told) for text, (_, _, told) in zip(repaired, cases, strict=True)]
    columns = (
        before,
        after,
        [late - early for early, late in zip(before, after, strict=True)],
        [float(well_formed(text)) for text, _, _ in cases],
        [float(well_formed(text)) for text in repaired],
    )
    return {name: mean(column) for name, column in zip(NAMES, columns, strict=True)}
