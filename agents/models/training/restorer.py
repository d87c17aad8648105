"""The restorer's card: it has no weights of its own, so nothing is trained; the card ties it to the generator beside it."""

from pathlib import Path

from ..cards import Card, read_card, write_card
from ..tiny.restorer import BATCH, GENERATOR


def train(folder: Path, work: Path, minutes: float, device: str = "cpu") -> Card:
    """Recipe ``restorer``: write the card; needs what the recipes ``autoencoder`` and ``generator`` made."""
    source = folder.parent / "generator"
    base, coder = read_card(source).data, read_card(source / "autoencoder").data
    folder.mkdir(parents=True, exist_ok=True)
    return write_card(folder, {
        "name": "tiny-restorer", "roles": ["restorer"], "params": base["params"],
        "flops": base["flops"] + 8 * coder["flops"], "flops_round_trip": coder["flops"], "batch": BATCH, "recipe": "restorer",
        "files": [GENERATOR],
    })  # fmt: skip
