"""The ways to send a page of digits that are compared, all within one frame of channel uses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.models.digits.models import UNKNOWN
from ...agents.models.digits.networks import JOINT_REALS
from ...agents.models.digits.prompts import LATENTS, PARTS, bits_of
from ...bus.channel import MCS_TABLE
from ...bus.channel.mcs import largest_payload_bits, segment
from .digits_bench import Desk
from .digits_link import Fidelity, Frame, label_block, real_symbols
from .digits_plans import CSI_SYMBOLS, PILOTS, Block, Chooser, Plan, cut, fixed, symbols, worths
from .digits_scores import METRICS, Scores
from .digits_trust import Received

FIXED = {1: "label only", 2: "label, base", 3: "label to style", 4: "label to detail", 5: "all layers"}
LAYERED, ADAPTIVE, WITH_PIXELS = "layered", "adaptive", "adaptive, pixels on top"
CLASSICAL, CLASSICAL_FINE, CLASSICAL_CSI = "classical, coarse", "classical, fine", "classical, best MCS"
ORACLE = "adaptive, channel known"
"""Chooses by the true SNR, which no sender has; it pays for a report all the same."""
ANALOGUE, JOINT = "analogue latents", "end to end"
EQUAL = "adaptive, room of end to end"
"""Chooses among plans of as few channel uses as the end-to-end codec takes, reports of the channel included."""
DESIGN_SNRS_DB = np.arange(0.0, 20.01, 0.5)
"""What senders that hear nothing of the channel are planned for: any of these SNRs, equally likely."""
Way = Callable[[Sequence[Frame]], tuple[np.ndarray, np.ndarray]]
"""Frames, one a page -> means of `METRICS` over the page's digits, ``(pages, metrics)``, and channel uses, ``(pages,)``."""


@dataclass(frozen=True)
class Choice:
    """A plan with what it is worth to the sender by what arrives, and the number of what is then shown (`Shop.shown`)."""

    plan: Plan
    value: Mapping[int, float]
    shows: Mapping[int, int]


class Shop:
    """Makes all ways for a desk; plans by a second desk, of validation pictures.

    Args:
        desk: What is sent.
        planning: What senders plan by.
        room: Channel uses of a frame.
        fidelity: Of coded blocks: ``bits`` really codes and decodes them, for ways of latents.
    """

    def __init__(self, desk: Desk, planning: Desk, room: int, fidelity: Fidelity = "table") -> None:
        self.desk, self.room, self.fidelity = desk, room, fidelity
        self._shown = [matrix(scores) for scores in desk.scores_by_mask]
        value = planning.values()
        masks = {mask: mask for mask in value}
        self.fixed = {number: self._fixed(number, room, value, masks) for number in FIXED}
        self._cut_csi = [Choice(plan, value, masks) for plan in cut(desk.page, room - CSI_SYMBOLS)]
        self.joint_room = real_symbols(desk.page * JOINT_REALS)
        self._cut_equal = [Choice(plan, value, masks) for plan in cut(desk.page, self.joint_room - CSI_SYMBOLS)]
        self.layered = _best([Choice(plan, value, masks) for plan in cut(desk.page, room)])
        files, files_csi = (self._files(planning, size) for size in (room, room - CSI_SYMBOLS))
        self.classical = _best(files)
        self._classical_csi = files_csi
        whole = value[(1 << len(PARTS)) - 1]
        self.classical_fine = next((one for one in files if one.value[1] >= whole), files[-1])

    def ways(self) -> dict[str, Way]:
        """All, by name."""
        adaptive, chooser = self._cut_csi, Chooser([(one.plan, one.value) for one in self._cut_csi])
        return {
            **{FIXED[number]: self._blind(one) for number, one in self.fixed.items() if one},
            LAYERED: self._blind(self.layered),
            ADAPTIVE: self._informed(adaptive, chooser),
            EQUAL: self._informed(self._cut_equal),
            ORACLE: self._informed(adaptive, chooser, exact=True),
            WITH_PIXELS: self._informed([*adaptive, *self._classical_csi]),
            CLASSICAL: self._blind(self.classical),
            CLASSICAL_FINE: self._blind(self.classical_fine),
            CLASSICAL_CSI: self._informed(self._classical_csi),
            ANALOGUE: self._analogue,
            JOINT: self._joint,
        }

    def _fixed(self, number: int, room: int, value: Mapping[int, float], masks: Mapping[int, int]) -> Choice | None:
        plan = fixed(number, self.desk.page, room)
        return Choice(plan, value, masks) if plan else None

    def _files(self, planning: Desk, room: int) -> list[Choice]:
        """The best classical form of each page for each scheme of the link, in one message."""
        found = []
        for mcs in MCS_TABLE:
            bits = _most_bits(room, mcs.index)
            shown, rehearsed = (desk.classical(bits) if bits else None for desk in (self.desk, planning))
            if shown is None or rehearsed is None:
                continue
            self._shown += [matrix(self.desk.blank_scores), matrix(self.desk.scorer(shown))]
            value = {0: float(planning.blank_scores.alignment.mean()), 1: float(planning.scorer(rehearsed).alignment.mean())}
            here = len(self._shown) - 2
            found.append(Choice((Block(0, bits, mcs),), value, {0: here, 1: here + 1}))
        return found

    def _look(self, numbers: Sequence[int]) -> np.ndarray:
        """Means over pages of the pictures that each of them shows, ``(pages, metrics)``."""
        page = self.desk.page
        return np.stack([self._shown[number][at * page : (at + 1) * page].mean(axis=0) for at, number in enumerate(numbers)])

    def _send(self, frame: Frame, choice: Choice) -> int:
        payload = None
        if self.fidelity == "bits" and choice.plan[0].parts:
            messages = self.desk.messages(frame.page)
            payload = [joined(messages, block.parts, self.desk.page) for block in choice.plan]
        return choice.shows[frame.send(choice.plan, payload)]

    def _blind(self, choice: Choice) -> Way:
        def send(frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
            return self._look([self._send(frame, choice) for frame in frames]), np.full(len(frames), float(symbols(choice.plan)))

        return send

    def _informed(self, choices: Sequence[Choice], chooser: Chooser | None = None, exact: bool = False) -> Way:
        chooser = chooser or Chooser([(choice.plan, choice.value) for choice in choices])

        def send(frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
            if exact:
                chosen = [choices[chooser.choose_knowing(frame.link().snr_db(0, "down"))] for frame in frames]
            else:
                chosen = [choices[chooser.choose(frame.told_snr_db())] for frame in frames]
            used = [float(CSI_SYMBOLS + symbols(choice.plan)) for choice in chosen]
            return self._look([self._send(frame, choice) for frame, choice in zip(frames, chosen, strict=True)]), np.array(used)

        return send

    def heard(self, frames: Sequence[Frame]) -> Received:
        """What receivers have of labels sent once as coded bits and latents as symbols."""
        page, (labels, latents) = self.desk.page, self.desk.extracted
        came, told, noise = np.empty_like(latents), labels.copy(), np.empty(len(labels))
        for place, frame in enumerate(frames):
            at = slice(place * page, (place + 1) * page)
            reals, snr_db = frame.send_reals(latents[at], "latents")
            snr = 10 ** (snr_db / 10)
            came[at], noise[at] = reals * snr / (1 + snr), 1 / (1 + snr)  # of unit normal values, in noise of 1 / snr
            if not frame.send((label_block(page),)):
                told[at] = UNKNOWN
        return Received(told, came, np.ones((len(labels), LATENTS), bool), noise)

    def _analogue(self, frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
        used = label_block(self.desk.page).symbols + real_symbols(self.desk.page * LATENTS)
        return self._judged(self.desk.generated(self.heard(frames)), len(frames), used)

    def _joint(self, frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
        page, reals = self.desk.page, self.desk.models.symbols(self.desk.of.pictures)
        shown = []
        for place, frame in enumerate(frames):
            heard, snr_db = frame.send_reals(reals[place * page : (place + 1) * page], "joint")
            shown.append(self.desk.models.receive(heard, snr_db))
        return self._judged(np.rint(np.concatenate(shown)), len(frames), self.joint_room)

    def _judged(self, shown: np.ndarray, pages: int, used: int) -> tuple[np.ndarray, np.ndarray]:
        scores = matrix(self.desk.scorer(shown))
        return scores.reshape(pages, self.desk.page, -1).mean(axis=1), np.full(pages, float(used))


def _best(choices: Sequence[Choice]) -> Choice:
    """Worth most on the average over `DESIGN_SNRS_DB`."""
    means = worths([(one.plan, one.value) for one in choices], DESIGN_SNRS_DB).mean(axis=1)
    return choices[int(np.argmax(means))]


def matrix(scores: Scores) -> np.ndarray:
    """Scores as ``(n, metrics)``."""
    return np.stack([getattr(scores, name) for name in METRICS], axis=1)


def joined(messages: Sequence[bytes], parts: int, digits: int) -> np.ndarray:
    """Bits of the parts of a mask, one behind the other, each without its filling: uint8 ``(n,)`` of 0 and 1."""
    chosen = [part for part in range(len(PARTS)) if parts >> part & 1]
    bits = [np.unpackbits(np.frombuffer(messages[part], np.uint8))[: digits * bits_of(part)] for part in chosen]
    return np.concatenate(bits)


def _most_bits(room: int, mcs: int) -> int:
    """Largest payload of one message that fits into a frame with its pilots."""
    bits = largest_payload_bits(room - PILOTS, MCS_TABLE[mcs])
    blocks = segment(bits, MCS_TABLE[mcs]).count if bits else 1
    return largest_payload_bits(room - PILOTS * blocks, MCS_TABLE[mcs])
