"""The pictures of a run: sent, generated, received."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ...agents.camera import developed
from ..metrics.quality import SIDE
from ..metrics.samples import Triple
from .theme import INK, MUTED, figure


def png_uri(picture: bytes) -> str:
    """Raw RGB, or a sketch -> ``data:`` URI of a PNG."""
    out = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), developed(picture)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def row_figure(folder: Path, chosen: Sequence[Triple], generated: str) -> bool:
    """Save ``row.png``: a column a request, sent over generated over received. False if there is nothing to show.

    Args:
        folder: Where to save.
        chosen: At most about six requests.
        generated: What the middle row is called.
    """
    if not chosen:
        return False
    labels = ("sent", generated, "received")
    with figure(folder, "row", (1.55 * len(chosen) + 0.75, 5.1), nrows=3, ncols=len(chosen), squeeze=False) as (fig, axes):
        fig.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
        for column, triple in enumerate(chosen):
            for line, picture in enumerate((triple.sent, triple.generated, triple.received)):
                ax = axes[line][column]
                ax.imshow(np.frombuffer(developed(picture), np.uint8).reshape(SIDE, SIDE, 3), interpolation="nearest")
                ax.set_xticks([])
                ax.set_yticks([])
                ax.grid(False)
                for spine in ax.spines.values():
                    spine.set_visible(False)
                if column == 0:
                    ax.set_ylabel(labels[line], fontsize=11, color=INK, fontweight="bold")
            row = triple.row
            axes[0][column].set_title(
                f"{row.sender} to {row.receiver}", fontsize=7.5, fontweight="normal", color=MUTED, loc="center"
            )
            below = f"prompt {row.prompt_bits} bits" if row.prompt_bits else f"{row.symbols_up} symbols up"
            snr = "" if row.snr_db is None else f", {row.snr_db:.0f} dB"
            axes[2][column].set_xlabel(f"{below}\n{row.symbols_total:,} symbols{snr}", fontsize=7.5, color=MUTED)
    return True
