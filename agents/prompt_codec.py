"""Prompts as bits: compact source coding of goal and keywords, captions, boxes, references and identifier vectors, and back.

A word of the shared vocabulary costs 7 bits, a box 35 (39 with a subject; more where its label must be spelled), a number of an
identifier vector 16. What every part costs is known before anything is chosen: ``part_bits``, `granularity.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..bus.errors import BadInput
from .bits import BitReader, BitWriter
from .models.roles import PICTURE_SIDE, Box
from .scenes.goals import KINDS as GOAL_KINDS
from .scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS, PLURALS

KEYWORDS, CAPTION, BOXES, REFERENCES, IDENTIFIERS = "keywords", "caption", "boxes", "references", "identifiers"
PARTS = (KEYWORDS, CAPTION, BOXES, REFERENCES, IDENTIFIERS)
"""Parts that a prompt may have, in the order in which they are coded."""
TASKS = ("greeting", "mapping")
LARGEST_BYTES = 1 << 17
"""Room for all identifier vectors that the count can tell, at the greatest length."""

USER_BITS, NUMBER_BITS, TIME_BITS, SUBJECT_BITS, COUNT_BITS = 16, 16, 16, 4, 4
HEADER_BITS = NUMBER_BITS + USER_BITS + TIME_BITS + 1 + len(PARTS)
"""Request number, recipient, time stamp (ms), task and which parts follow. The sender is known from the link."""
_FAR = (1 << USER_BITS) - 1
"""Stands before a recipient's number that is as large or larger, and then has `FAR_BITS`."""
FAR_BITS = 32


def user_bits(number: int) -> int:
    """Bits of a recipient's number: 16, in networks of up to 65,535 users always."""
    return USER_BITS if number < _FAR else USER_BITS + FAR_BITS


_END, _SPELL, _RAW, _COMMA = range(4)
_FUNCTION_WORDS = (
    *("a", "an", "and", "the", "of", "on", "in", "at", "with", "one", "two", "three", "four", "five", "six", "seven", "eight"),
    *("nine", "ten", "eleven", "twelve", "nothing", "some", "many", "no", "left", "right", "above", "below", "near", "my"),
    *(*GOAL_KINDS, "things"),
)
_PLACES = ("at sea", "outdoors")
_WORDS = tuple(
    dict.fromkeys(
        [*_FUNCTION_WORDS, *LABELS, *(PLURALS.get(label, label + "s") for label in LABELS), *COLOUR_NAMES, *BACKGROUND_NAMES]
        + [word for place in _PLACES for word in place.split()]
    )
)
WORD_BITS = 7
_CODE = {word: index + 4 for index, word in enumerate(_WORDS)}
_LETTERS = "\0abcdefghijklmnopqrstuvwxyz'-/."
LETTER_BITS = 5
COORDINATE_BITS, LABEL_BITS, COLOUR_BITS, BACKGROUND_BITS = 6, 6, 4, 3
_OTHER_LABEL = (1 << LABEL_BITS) - 1
"""Stands before a label that is no class of the vocabulary and is spelled like a caption."""

if len(_WORDS) + 4 > 1 << WORD_BITS or len(LABELS) >= _OTHER_LABEL or len(COLOUR_NAMES) >= 1 << COLOUR_BITS:
    raise AssertionError("the vocabulary has outgrown the prompt codec's fields")


@dataclass(frozen=True)
class PromptContent:
    """What a prompt says.

    Attributes:
        number: Request number of the sender, below 2^16.
        recipient: Index of the recipient among the sorted user ids, below 2^32.
        time_ms: Time stamp in ms, modulo 2^16.
        task: One of `TASKS`.
        parts: Parts it has; the fields of others are empty.
        goal: What the sender wants, a few words; travels with the keywords.
        keywords: Single words without spaces, most telling first.
        caption: Text, any words separated by single spaces.
        background: Background name; travels with the boxes ("" = not said).
        boxes: Boxes, coordinates in whole pixels after the trip. ``subject`` is one of ``subjects`` or "".
        subjects: The sender's subjects that are named (references), as their numbers among the sender's subjects.
        box_subjects: For every box the number of the subject that it shows, or -1.
        identifiers: Subject number -> float32 identifier vector (float16 on the air).
    """

    number: int
    recipient: int
    time_ms: int
    task: str
    parts: tuple[str, ...]
    goal: str = ""
    keywords: tuple[str, ...] = ()
    caption: str = ""
    background: str = ""
    boxes: tuple[Box, ...] = ()
    box_subjects: tuple[int, ...] = ()
    subjects: tuple[int, ...] = ()
    identifiers: dict[int, bytes] = field(default_factory=dict)


def encode(content: PromptContent) -> tuple[bytes, int]:
    """Code a prompt.

    Returns:
        The bytes (the last one filled with zeros) and the number of bits that count.

    Raises:
        BadInput: A part is unknown, a number does not fit its field, or all is too long.
    """
    unknown = [part for part in content.parts if part not in PARTS]
    if unknown:
        raise BadInput(f"a prompt has no part {unknown[0]!r}", "parts: " + ", ".join(PARTS))
    out = BitWriter()
    out.write(content.number % (1 << NUMBER_BITS), NUMBER_BITS)
    _write_user(out, content.recipient)
    out.write(content.time_ms % (1 << TIME_BITS), TIME_BITS)
    out.write(TASKS.index(content.task), 1)
    for part in PARTS:
        out.write(part in content.parts, 1)
    for part in PARTS:
        if part in content.parts:
            _WRITE[part](out, content)
    if out.length > 8 * LARGEST_BYTES:
        raise BadInput(f"a prompt of {out.length} bits", f"at most {8 * LARGEST_BYTES} can be sent")
    return out.bytes(), out.length


def decode(data: bytes) -> PromptContent:
    """Decode what `encode` made.

    Raises:
        BadInput: The bytes are cut off, no prompt, or more than `LARGEST_BYTES`.
    """
    if len(data) > LARGEST_BYTES:
        raise BadInput(f"a prompt of {len(data)} bytes", f"at most {LARGEST_BYTES} are read")
    bits = BitReader(data)
    number, recipient, time_ms = bits.read(NUMBER_BITS), _read_user(bits), bits.read(TIME_BITS)
    task = TASKS[bits.read(1)]
    parts = tuple(part for part in PARTS if bits.read(1))
    goal, keywords = (_read_words(bits), tuple(_read_words(bits).split())) if KEYWORDS in parts else ("", ())
    caption = _read_words(bits) if CAPTION in parts else ""
    background, boxes, box_subjects = _read_boxes(bits) if BOXES in parts else ("", (), ())
    subjects = tuple(bits.read(SUBJECT_BITS) for _ in range(bits.read(COUNT_BITS))) if REFERENCES in parts else ()
    identifiers = _read_identifiers(bits) if IDENTIFIERS in parts else {}
    said = (goal, keywords, caption, background, boxes, box_subjects, subjects, identifiers)
    return PromptContent(number, recipient, time_ms, task, parts, *said)


def part_bits(content: PromptContent) -> dict[str, int]:
    """Exact cost in bits of every part of `PARTS` as the content's fields are filled, whether or not ``parts`` names it."""
    costs = {}
    for part in PARTS:
        out = BitWriter()
        _WRITE[part](out, content)
        costs[part] = out.length
    return costs


def _write_user(out: BitWriter, number: int) -> None:
    if number < _FAR:
        out.write(number, USER_BITS)
    else:
        out.write(_FAR, USER_BITS)
        out.write(number, FAR_BITS)


def _read_user(bits: BitReader) -> int:
    number = bits.read(USER_BITS)
    return bits.read(FAR_BITS) if number == _FAR else number


def _write_caption(out: BitWriter, content: PromptContent) -> None:
    _write_words(out, content.caption)


def _write_keywords(out: BitWriter, content: PromptContent) -> None:
    _write_words(out, content.goal)
    _write_words(out, " ".join(content.keywords))


def _write_words(out: BitWriter, text: str) -> None:
    words = text.split(" ") if text else []
    for word in words:
        stem = word[:-1] if word.endswith(",") and len(word) > 1 else word
        if stem in _CODE:
            out.write(_CODE[stem], WORD_BITS)
        elif all(letter in _LETTERS[1:] for letter in stem):
            out.write(_SPELL, WORD_BITS)
            for letter in stem + "\0":
                out.write(_LETTERS.index(letter), LETTER_BITS)
        else:
            raw = stem.encode()
            out.write(_RAW, WORD_BITS)
            out.write(len(raw), 16)
            out.write_bytes(raw)
        if stem is not word and stem != word:
            out.write(_COMMA, WORD_BITS)
    out.write(_END, WORD_BITS)


def _read_words(bits: BitReader) -> str:
    words: list[str] = []
    before = _COMMA
    while (code := bits.read(WORD_BITS)) != _END:
        if code == before == _COMMA:
            raise BadInput("a prompt's text has a comma's code where a word begins", "the bytes are no prompt")
        before = code
        if code == _COMMA:
            words[-1] += ","
        elif code == _SPELL:
            words.append(_read_letters(bits))
        elif code == _RAW:
            try:
                words.append(bits.read_bytes(bits.read(16)).decode())
            except UnicodeDecodeError:
                raise BadInput("a word of a prompt's text is no UTF-8", "the bytes are no prompt") from None
        elif code - 4 < len(_WORDS):
            words.append(_WORDS[code - 4])
        else:
            raise BadInput(f"a prompt's text has the unused word code {code}", "the bytes are no prompt")
    return " ".join(words)


def _read_letters(bits: BitReader) -> str:
    letters = ""
    while (index := bits.read(LETTER_BITS)) != 0:
        if index >= len(_LETTERS):
            raise BadInput(f"a prompt's text has the unused letter code {index}", "the bytes are no prompt")
        letters += _LETTERS[index]
    return letters


def _write_boxes(out: BitWriter, content: PromptContent) -> None:
    out.write(_number(content.background, BACKGROUND_NAMES), BACKGROUND_BITS)
    out.write(len(content.boxes), COUNT_BITS)
    top = PICTURE_SIDE - 1
    for index, box in enumerate(content.boxes):
        _write_label(out, box.label)
        out.write(_number(box.colour, COLOUR_NAMES), COLOUR_BITS)
        for value in (box.cx, box.cy, box.width - 1, box.height - 1):
            out.write(min(max(round(value), 0), top), COORDINATE_BITS)
        subject = content.box_subjects[index] if index < len(content.box_subjects) else -1
        out.write(subject >= 0, 1)
        if subject >= 0:
            out.write(subject, SUBJECT_BITS)


def _read_boxes(bits: BitReader) -> tuple[str, tuple[Box, ...], tuple[int, ...]]:
    background = _name(bits.read(BACKGROUND_BITS), BACKGROUND_NAMES)
    boxes, subjects = [], []
    for _ in range(bits.read(COUNT_BITS)):
        label, colour = _read_label(bits), _name(bits.read(COLOUR_BITS), COLOUR_NAMES)
        cx, cy, width, height = (bits.read(COORDINATE_BITS) for _ in range(4))
        boxes.append(Box(label, colour, float(cx), float(cy), width + 1.0, height + 1.0))
        subjects.append(bits.read(SUBJECT_BITS) if bits.read(1) else -1)
    return background, tuple(boxes), tuple(subjects)


def _write_label(out: BitWriter, label: str) -> None:
    known = not label or label in LABELS
    out.write(_number(label, LABELS) if known else _OTHER_LABEL, LABEL_BITS)
    if not known:
        _write_words(out, label)


def _read_label(bits: BitReader) -> str:
    number = bits.read(LABEL_BITS)
    return _read_words(bits) if number == _OTHER_LABEL else _name(number, LABELS)


def _number(name: str, names: Sequence[str]) -> int:
    """0 for a name that is not known, else its place counted from 1."""
    return names.index(name) + 1 if name in names else 0


def _name(number: int, names: Sequence[str]) -> str:
    if number > len(names):
        raise BadInput(f"a prompt has the number {number} where {len(names)} names are known", "the bytes are no prompt")
    return names[number - 1] if number else ""


def _write_references(out: BitWriter, content: PromptContent) -> None:
    out.write(len(content.subjects), COUNT_BITS)
    for subject in content.subjects:
        out.write(subject, SUBJECT_BITS)


def _write_identifiers(out: BitWriter, content: PromptContent) -> None:
    out.write(len(content.identifiers), COUNT_BITS)
    for subject, vector in content.identifiers.items():
        raw = np.frombuffer(vector, dtype="<f4").astype("<f2").tobytes()
        out.write(subject, SUBJECT_BITS)
        out.write(len(raw) // 2, 12)
        out.write_bytes(raw)


def _read_identifiers(bits: BitReader) -> dict[int, bytes]:
    identifiers = {}
    for _ in range(bits.read(COUNT_BITS)):
        subject, size = bits.read(SUBJECT_BITS), bits.read(12)
        vector = np.frombuffer(bits.read_bytes(2 * size), dtype="<f2").astype("<f4")
        if not np.isfinite(vector).all():
            raise BadInput("an identifier vector of a prompt is not finite", "the bytes are no prompt")
        identifiers[subject] = vector.tobytes()
    return identifiers


_WRITE = {
    KEYWORDS: _write_keywords,
    CAPTION: _write_caption,
    BOXES: _write_boxes,
    REFERENCES: _write_references,
    IDENTIFIERS: _write_identifiers,
}
