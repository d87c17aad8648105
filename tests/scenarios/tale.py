"""A handmade run: one request that arrives and one that fails, written with the real trace writer."""

from pathlib import Path
from typing import Any

from semcast.agents.base import PAYLOADS
from semcast.agents.models.roles import Extraction, Picture, Symbols
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.agents.settings import NetworkSettings, StationSettings, UserSettings
from semcast.bus.clock import MS
from semcast.bus.envelope import ACTIVITY, AGENT, DATA, PRIVATE, VERSION, Codec, Envelope
from semcast.bus.messages import Content, Failure, Feedback, Uplink
from semcast.bus.records import AirRecord, Capture, Decision, Shown
from semcast.bus.trace import TraceWriter

SETTINGS = NetworkSettings(
    seed=1,
    scheme="gai-scn",
    users=(UserSettings("user.a"), UserSettings("user.b")),
    stations=(StationSettings("bs.0", 0.0, 0.0, "edge.0"),),
    edges=("edge.0",),
)
SCENE = make_scene("tale", count=2)
SENT = draw(SCENE).tobytes()
GENERATED = draw(make_scene("tale", "generated", count=2)).tobytes()
RECEIVED = bytes(min(255, value + 4) for value in GENERATED)
TRUTH = [(b.label, b.colour, b.cx, b.cy, b.width, b.height, "") for b in SCENE.boxes()]


def air(request: str, purpose: str, direction: str, bits: int, symbols: int, **more: Any) -> AirRecord:
    """A finished transfer of 1 ms after 2 ms in the queue."""
    values: dict[str, Any] = {
        "jscc_symbols": 0,
        "pilot_symbols": 4,
        "feedback_symbols": 1,
        "attempts": 1,
        "queue_ns": 2 * MS,
        "air_ns": MS,
        "snr_db": 12.0,
        "delivered": True,
        "scheme": "qpsk",
    }
    return AirRecord(request, purpose, direction, ["user.b"], bits, 2 * bits, symbols, **(values | more))


def events() -> list[Envelope]:
    """The run's records in key order: a request of 100 ms, one that is lost, a running CSI report and the preparation."""
    told: list[Envelope] = []

    def tell(
        t_ms: float, source: str, payload: Any, *, to: str = "", until_ms: float = 0, key: str = "", origin: str = AGENT
    ) -> None:
        start, end = round(t_ms * MS), round(max(t_ms, until_ms) * MS)
        told.append(Envelope(VERSION, start, end, DATA, source, to or source, len(told), key, origin, payload))

    good, lost = "user.a/0", "user.a/1"
    tell(0, "bs.0", air("", "preparation", "up", 1000, 900))
    tell(0, "bs.0", air("", "csi", "up", 10, 30))
    tell(10, "user.a", Capture(good, "user.b", SENT, TRUTH, "grass", "greeting"), origin=PRIVATE)
    tell(10, "user.a", Extraction("a dog", "grass", []), until_ms=20, key=f"extractor:{good}", origin=ACTIVITY)
    noise, prompt = {"value": 0.25}, {"parts": ["caption", "boxes"]}
    tell(20, "user.a", Decision(good, "noise", "estimate", good, "kb-mismatch", {}, noise))
    tell(20, "user.a", Decision(good, "prompt", "select", good, "threshold", {}, prompt))
    tell(25, "bs.0", air(good, "prompt", "up", 120, 100))
    # the cloud works on something else until 38 ms: the call waits
    tell(30, "cloud.0", Picture(b""), until_ms=38, key="generator:user.z/9", origin=ACTIVITY)
    tell(33, "cloud.0", Picture(GENERATED), until_ms=60, key=f"generator:{good}", origin=ACTIVITY)
    tell(60, "cloud.0", Content(good, "user.a", "user.b", 0, GENERATED), to="edge.0", until_ms=65)
    csi = {"csi_snr_db": 11.5, "csi_age_s": 0.02}
    tell(66, "edge.0", Decision(good, "encoder", "choose", good, "snr-table", csi, {"codec": "snr07-cbr12"}))
    tell(66, "edge.0", Symbols(b""), until_ms=70, key=f"jscc_encoder:{good}", origin=ACTIVITY)
    tell(80, "bs.0", air(good, "features", "down", 40, 1100, jscc_symbols=1024, attempts=2))
    tell(90, "user.b", Picture(RECEIVED), until_ms=110, key=f"jscc_decoder:{good}", origin=ACTIVITY)
    tell(110, "user.b", Shown(good, RECEIVED, "snr07-cbr12", 11.0, 100 * MS), origin=PRIVATE)
    tell(111, "user.b", Uplink("user.b", 1, "f", good, "feedback", 60, Feedback(good, 0.7, 0.8, 100 * MS)))
    tell(112, "bs.0", air(good, "feedback", "up", 60, 50))
    tell(200, "user.a", Capture(lost, "user.b", SENT, TRUTH, "grass", "greeting"), origin=PRIVATE)
    tell(210, "bs.0", air(lost, "prompt", "up", 120, 400, attempts=4, delivered=False))
    tell(211, "bs.0", Failure(lost, "bs.0", "prompt lost"))
    return sorted(told, key=lambda e: (e.t_deliver, e.source, e.sequence))


def write_tale(folder: Path) -> None:
    """Write the run's trace into ``folder/trace``."""
    codec, writer = Codec(PAYLOADS), TraceWriter(folder / "trace", 0, {"run": "tale"})
    for envelope in events():
        writer.write(envelope, codec.encode(envelope), envelope.origin == PRIVATE)
    writer.close()
