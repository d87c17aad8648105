"""The stories of requests -> one row each. The judge looks at the pictures here and nowhere else."""

import math
from collections.abc import Sequence
from typing import Any

from ...agents.accounting import seen_bits
from ...agents.settings import AT_RECEIVERS, NetworkSettings
from ...bus.records import AirRecord
from .alignment import Features
from .clips import clip_rows
from .gather import Call
from .group import path
from .judging import Scores, judged
from .row import FAILED, SHOWN, TEXT_COLUMNS, Row
from .story import Story
from .texts import TEXTS, TextScores, judged_texts

STAGES = {
    "extractor": "extract",
    "rehearsal": "extract",
    "captioner": "extract",
    "keywords": "extract",
    "embedder": "extract",
    "generator": "generate",
    "selector": "generate",
    "stylist": "generate",
    "jscc_encoder": "encode",
    "denoiser": "decode",
    "jscc_decoder": "decode",
    "calibrator": "calibrate",
}
"""Role of a model call -> the stage of the latency that it belongs to."""
LATER = "reception"
"""A look at a picture that has been shown, for its sender to learn: it costs, but is no part of the latency."""
SOURCE_DIMENSIONS = 3 * 64 * 64
OF_SCENES = (
    *("object_recovery", "object_recovery_iou50", "generated_recovery", "semantic_error", "generated_error"),
    *("subject_alignment", "object_count_discrepancy", "image_alignment", "object_alignment", "text_alignment"),
)
"""Columns by judges that know the scene world: of no picture of somebody's own."""
KNOWLEDGE_PURPOSES = ("kb",)
PROMPT_PURPOSES = ("prompt", "resend")


def rows_of(stories: Sequence[Story], settings: NetworkSettings, features: Features | None = None) -> list[Row]:
    """One row a story, in the same order."""
    content = settings.traffic.content
    if content == "clips":
        return clip_rows(stories, settings, features)
    found: Sequence[Scores | TextScores] = judged_texts(stories, content) if content in TEXTS else judged(stories, features)
    return [row_of(story, scores, settings) for story, scores in zip(stories, found, strict=True)]


def row_of(story: Story, scores: Scores | TextScores, settings: NetworkSettings) -> Row:
    """The row of one request."""
    of_content = scores.columns() if isinstance(scores, TextScores) else _qualities(story, scores, settings)
    return Row(
        **{**_ends(story, settings), **_air(story), **of_content},
        satisfaction=story.feedback.satisfaction if story.feedback and story.shown else 0.0,
        **_latency(story, settings),
        flops=_flops(story, settings),
        joules=_joules(story, settings),
        **_choices(story, settings),
    )


def _ends(story: Story, settings: NetworkSettings) -> dict[str, Any]:
    if story.shown:
        status, reason = SHOWN, ""
    elif story.failures:
        status, reason = FAILED, f"{story.failures[0].reason} at {story.failures[0].where}"
    else:
        status, reason = FAILED, "unfinished when the run ended"
    truth = story.capture.truth
    return {
        "request": story.request,
        "sender": story.sender,
        "receiver": story.capture.recipient,
        "scheme": settings.scheme,
        "content": "text" if settings.traffic.content in TEXTS else "picture",
        **{
            f"{who}_device": settings.device_of[user].name if user in settings.device_of else ""
            for who, user in (("sender", story.sender), ("receiver", story.capture.recipient))
        },
        "status": status,
        "reason": reason,
        "t_s": story.place[0] / 1e9,
        "objects": len(truth),
        "subjects": sum(1 for thing in truth if thing[-1]),
        "task": story.capture.task,
    }


def _qualities(story: Story, scores: Scores, settings: NetworkSettings) -> dict[str, Any]:
    truth = story.capture.truth
    encoded = settings.scheme not in AT_RECEIVERS
    return {
        "object_recovery": scores.shown.recovery,
        "object_recovery_iou50": scores.shown.iou50,
        "generated_recovery": scores.generated.recovery,
        "semantic_error": scores.meaning.error,
        "generated_error": scores.generated_meaning.error,
        "subject_alignment": scores.meaning.subject,
        "object_count_discrepancy": len(truth) if scores.count_discrepancy is None else scores.count_discrepancy,
        "image_alignment": scores.alignment.image,
        "object_alignment": scores.alignment.objects,
        "text_alignment": scores.alignment.text,
        "psnr_db": scores.fidelity.psnr_db if encoded else None,
        "psnr_to_original_db": scores.fidelity.psnr_to_original_db,
        "ssim": scores.fidelity.ssim if encoded else None,
        **dict.fromkeys(TEXT_COLUMNS),
        **(dict.fromkeys(OF_SCENES) if story.capture.file else {}),
    }


def lesson_bits(story: Story) -> int:
    """Bits by which a sender that learns hears what its receiver saw, up and down."""
    down = sum(air.payload_bits for air in story.airs if air.purpose == "feedback" and air.direction == "down")
    return down + (seen_bits(story.feedback.seen) if story.feedback else 0)


def _air(story: Story) -> dict[str, Any]:
    airs = story.airs

    def total(field: str, purposes: Sequence[str] = (), direction: str = "") -> int:
        return sum(
            int(getattr(air, field))
            for air in airs
            if (not purposes or air.purpose in purposes) and (not direction or air.direction == direction)
        )

    prompt = total("payload_bits", PROMPT_PURPOSES) - total("signature_bits", PROMPT_PURPOSES)
    knowledge = total("payload_bits", KNOWLEDGE_PURPOSES) - total("signature_bits", KNOWLEDGE_PURPOSES)
    payload, signatures = total("payload_bits"), total("signature_bits")
    lessons = lesson_bits(story)
    symbols = total("complex_symbols")
    return {
        "told_bits": prompt + knowledge + lessons,
        "lesson_bits": lessons,
        "prompt_bits": prompt,
        "knowledge_bits": knowledge,
        "signature_bits": signatures,
        "payload_bits": payload,
        "header_bits": payload - prompt - knowledge - signatures,
        "coded_bits": total("coded_bits"),
        "symbols_up": total("complex_symbols", direction="up"),
        "symbols_down": total("complex_symbols", direction="down"),
        "symbols_total": symbols,
        "symbols_jscc": total("jscc_symbols"),
        "symbols_picture": sum(_picture_symbols(air) for air in airs if air.purpose == "features"),
        "symbols_pilot": total("pilot_symbols"),
        "symbols_csi": total("complex_symbols", ["csi"]),
        "symbols_knowledge": total("complex_symbols", KNOWLEDGE_PURPOSES),
        "symbols_feedback": total("complex_symbols", ["feedback"]),
        "cbr": symbols / SOURCE_DIMENSIONS,
        "attempts": total("attempts"),
        "transfers": sum(story.sharers(air.users)[0] == story.capture.recipient for air in airs),
    }


def _picture_symbols(air: AirRecord) -> int:
    return air.jscc_symbols or air.complex_symbols - air.pilot_symbols - air.feedback_symbols


def _latency(story: Story, settings: NetworkSettings) -> dict[str, Any]:
    """Stages that add up to the latency; what no processor, queue, radio or link took is ``wait_s``."""
    spans: dict[str, list[tuple[int, int]]] = {stage: [] for stage in STAGES.values()}
    for call in story.calls:
        if call.role == LATER:
            continue
        spans[STAGES.get(call.role, "calibrate")].append((call.issued_ns, call.done_ns))
    stages = {stage: covered_ns(found) for stage, found in spans.items()}
    # knowledge goes ahead of its prompt, whose queueing time holds it
    before = [air for air in story.airs if air.purpose not in ("feedback", "kb")]
    queue_ns, air_ns = sum(air.queue_ns for air in before), sum(air.air_ns for air in before)
    spent_ns = sum(stages.values()) + queue_ns + air_ns
    links = path(story.links, story.capture.recipient) if story.group else story.links
    links_ns = sum(_link_ns(link.source, link.destination, settings) for link in links)
    latency_ns = story.shown.latency_ns if story.shown else spent_ns + links_ns
    return {
        "latency_s": latency_ns / 1e9,
        "queue_s": queue_ns / 1e9,
        "air_s": air_ns / 1e9,
        "backhaul_s": links_ns / 1e9,
        "wait_s": (latency_ns - spent_ns - links_ns) / 1e9,
        **{f"{stage}_s": spent / 1e9 for stage, spent in stages.items()},
    }


def covered_ns(spans: Sequence[tuple[int, int]]) -> int:
    """Length of the union of time spans (begin, end): candidates that are drawn side by side take the time of the slowest."""
    total, reached = 0, 0
    for begin, end in sorted(spans):
        total += max(end - max(begin, reached), 0)
        reached = max(reached, end)
    return total


def _link_ns(source: str, destination: str, settings: NetworkSettings) -> int:
    latency_ms = settings.latency_ms
    pair = f"{source.partition('.')[0]}>{destination.partition('.')[0]}"
    return round(latency_ms.get(pair, max(latency_ms.values())) * 1e6)


def _throughput(agent: str, settings: NetworkSettings) -> float:
    compute = settings.compute
    if agent in settings.device_of:
        return settings.device_of[agent].flops
    return {"user": compute.user_flops, "edge": compute.edge_flops}.get(agent.partition(".")[0], compute.cloud_flops)


def _flops(story: Story, settings: NetworkSettings) -> float:
    """FLOPs of a request's calls; those that served several receivers are shared among their rows."""
    return math.fsum(_work(call, settings) / len(story.sharers([call.agent])) for call in story.calls)


def _work(call: Call, settings: NetworkSettings) -> float:
    """FLOPs follow from the time that a processor worked (not waited) and its speed."""
    return (call.done_ns - call.started_ns) / 1e9 * _throughput(call.agent, settings)


def _joules(story: Story, settings: NetworkSettings) -> float:
    """Energy of processors (joule a FLOP) and of transmitters (radiated power times air time)."""
    compute, radio = settings.compute, settings.radio
    parts = []
    for call in story.calls:
        price = compute.joule_per_flop_user if call.agent.startswith("user.") else compute.joule_per_flop_server
        if call.agent in settings.device_of:
            price = settings.device_of[call.agent].joule_per_flop
        parts.append(_work(call, settings) / len(story.sharers([call.agent])) * price)
    for air in story.airs:
        power_dbm = radio.user_power_dbm if air.direction == "up" else radio.bs_power_dbm
        parts.append(10 ** ((power_dbm - 30) / 10) * air.air_ns / 1e9 / len(story.sharers(air.users)))
    return math.fsum(parts)


def _choices(story: Story, settings: NetworkSettings) -> dict[str, Any]:
    noise, prompt, encoder = (story.choices.get(kind) for kind in ("noise", "prompt", "encoder"))
    picture = [air for air in story.airs if air.direction == "down" and air.purpose in ("features", "prompt")]
    return {
        "prompt_parts": "+".join(prompt.choice.parts) if prompt else _told(settings),
        "semantic_noise": noise.choice.value if noise else None,
        "codec": encoder.choice.codec if encoder else story.shown.codec if story.shown else "",
        "csi_snr_db": encoder.context.csi_snr_db if encoder else None,
        "csi_age_s": encoder.context.csi_age_s if encoder else None,
        "snr_db": picture[-1].snr_db if picture else None,
    }


def _told(settings: NetworkSettings) -> str:
    """What prompts hold where no policy decides about it."""
    return ("boxes" if settings.aigc.places else "caption") if settings.scheme in AT_RECEIVERS else ""
