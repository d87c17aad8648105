"""One row a request: everything it cost and how good is what was shown. The columns of ``metrics.parquet``, in this order."""

from msgspec import Struct

SHOWN, FAILED = "ok", "failed"
PICTURE_COLUMNS = (
    *("objects", "subjects", "object_recovery", "object_recovery_iou50", "generated_recovery", "semantic_error"),
    *("generated_error", "subject_alignment", "object_count_discrepancy", "image_alignment", "object_alignment"),
    *("text_alignment", "psnr_db", "psnr_to_original_db", "ssim", "cbr"),
)
"""None where no picture is shown."""
TEXT_COLUMNS = (
    *("facts", "fact_recovery", "generated_fact_recovery", "false_facts", "text_similarity", "wording", "cross_alignment"),
)
"""None where no text is shown."""


class Row(Struct, frozen=True, kw_only=True):
    """One request from capture to display. Times in seconds, bits and complex symbols counted over all attempts.

    Symbols are all complex channel uses of the request: data, pilots and HARQ feedback. ``cbr`` = ``symbols_total`` / (3 H W)
    with H = W = 64 (pictures). The stages of the latency add up to ``latency_s``; ``backhaul_s`` is the
    latency of the links between its agents, ``wait_s`` what is left: HARQ rounds, CSI that is waited for, knowledge that goes
    first. Waiting for a processor counts to the stage that waits; work outside models (files, texts, tracks, drawing) counts to
    ``wait_s``, and does not queue.

    ``content`` tells which scores a row has; those of other content are None. Scores of a failed request are floor scores: the
    receiver shows a mid-grey picture with nothing in it, or an empty text.
    ``psnr_db`` and ``ssim`` are against what entered the last encoder (the generated picture, or in ``semcom`` the one decoded
    from the uplink), ``psnr_to_original_db`` against the sender's picture; equal pictures count as 60 dB.
    Of clips, ``ssim`` is against the sender's clip, too, and ``psnr_db`` is None.
    ``object_recovery`` is the share of the original's objects whose class the judge finds anywhere in the shown picture,
    ``object_recovery_iou50`` the share that it finds in place; ``generated_recovery`` is ``object_recovery`` before the downlink.
    The three alignments compare original and shown picture by features of the CLIP-class judge (see `alignment`).

    A text's facts are read by `metrics.facts`. It knows every sentence that users and the composer write, and reads what is
    damaged by the cues of the agents' own reader: it is no judge apart from them.
    """

    request: str
    sender: str
    receiver: str
    sender_device: str
    """Class of the sender's device, empty where users have none."""
    receiver_device: str
    scheme: str
    content: str
    """``picture``, ``clip`` or ``text``."""
    status: str
    """``ok`` or ``failed``."""
    reason: str
    """Why and where it failed."""
    t_s: float
    """Simulated time of the capture."""
    objects: int | None
    """Objects in the original."""
    subjects: int | None
    """Personal subjects among them."""
    task: str
    """What its user truly wants: ``mapping`` (places count) or ``greeting``; empty for texts."""

    object_recovery: float | None
    object_recovery_iou50: float | None
    generated_recovery: float | None
    semantic_error: float | None
    """Share of the original's meaning that is lost in the shown picture (`agents.meaning`): by the task with or without places,
    personal subjects by the judge's likeness of their looks."""
    generated_error: float | None
    """The same of the generated picture, before the downlink: what a semantic-noise estimate is about."""
    subject_alignment: float | None
    """Mean over the original's personal subjects of the best cosine to anything in the shown picture; None without any."""
    object_count_discrepancy: int | None
    """Objects too many or too few in the shown picture, whatever their class."""
    image_alignment: float | None
    object_alignment: float | None
    text_alignment: float | None
    psnr_db: float | None
    psnr_to_original_db: float | None
    ssim: float | None
    facts: int | None
    """Facts in the original text; of an alarm, 1 where there is one."""
    fact_recovery: float | None
    """Share of them that the shown text says; None where the original has none, too."""
    generated_fact_recovery: float | None
    """The same of the text that entered the last link."""
    false_facts: int | None
    """Facts that the shown text says and the original does not."""
    text_similarity: float | None
    """Cosine of the sentence embeddings (all-MiniLM-L6-v2) of original and shown text; 0 where nothing was shown."""
    wording: float | None
    """Share of the shown text's sentences that are well-formed."""
    cross_alignment: float | None
    """Cosine of the CLIP-class judge's features of the sender's picture and of the shown text, where these are of two kinds."""
    frames: int | None = None
    """Of a clip."""
    mota: float | None = None
    """How well the receiver knows which thing is where, see `tracking`; scores of clips are means over frames."""
    idf1: float | None = None
    place_error_px: float | None = None
    """Mean distance of the centres of things that move, true and as known; None also where nothing was matched."""
    incidents: int | None = None
    """True ones."""
    incidents_found: int | None = None
    """Those that the receiver was told, or found."""
    false_incidents: int | None = None
    """Those that it takes for true and are not."""
    satisfaction: float

    told_bits: int
    """Bits of the prompt, of the KB items sent with it and of lessons: what is spent so that the sender is understood."""
    lesson_bits: int
    """Bits by which a sender that learns hears what its receiver saw, up and down; 0 where none learns."""
    prompt_bits: int
    """Source-coded bits of the prompt, each time that it was sent."""
    knowledge_bits: int
    """KB items sent with this request."""
    signature_bits: int
    """Signatures and counters of all its signed transfers, part of the payload, but of neither prompt nor knowledge bits."""
    payload_bits: int
    """Source-coded bits of all its transfers, headers, CSI and signatures included."""
    header_bits: int
    """Payload bits of picture headers (with the file, where one is sent as coded bits), CSI and requests to send again.

    All but prompt, knowledge and signatures."""
    coded_bits: int
    symbols_up: int
    symbols_down: int
    symbols_total: int
    symbols_jscc: int
    symbols_picture: int
    """Symbols that carried its pictures: JSCC, or coded ones of a picture sent as coded bits, repeats included."""
    symbols_pilot: int
    symbols_csi: int
    symbols_knowledge: int
    symbols_feedback: int
    """Air of the satisfaction report after the picture was shown (part of ``symbols_up``)."""
    cbr: float | None
    attempts: int
    """Transmissions of all its transfers, the first ones included."""
    transfers: int

    latency_s: float
    extract_s: float
    queue_s: float
    air_s: float
    backhaul_s: float
    wait_s: float
    generate_s: float
    encode_s: float
    decode_s: float
    calibrate_s: float

    flops: float
    joules: float

    prompt_parts: str
    """The chosen parts, joined with +."""
    semantic_noise: float | None
    codec: str
    csi_snr_db: float | None
    """CSI of the downlink when its codec was chosen."""
    csi_age_s: float | None
    snr_db: float | None
    """True mean SNR of the transfer that brought the picture."""
