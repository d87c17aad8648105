"""``semcast trace RUN --follow REQUEST`` on a real run: size and delay of each step, and totals that are those of the records."""

import re
from pathlib import Path

import pytest
from semcast.agents.base import PAYLOADS
from semcast.bus.envelope import Codec
from semcast.bus.records import AirRecord, Capture
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.cli import main


def test_a_journey_has_sizes_delays_and_totals(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = list(TraceReader(recorded, Codec(PAYLOADS)).records())
    request = next(record.envelope.payload.request for record in records if isinstance(record.envelope.payload, Capture))
    capsys.readouterr()
    assert main(["trace", str(recorded), "--follow", request]) == 0
    first, *lines, became, took = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{request} starts at ")
    air = [p for record in records if isinstance(p := record.envelope.payload, AirRecord) and p.request == request]
    assert len(air) >= 3
    for each in air:
        assert [line for line in lines if f"{each.payload_bits} bit {each.complex_symbols} sym" in line]
    sent = [
        record for record in records if record.envelope.source != record.envelope.destination and request.encode() in record.raw
    ]
    for record in sent:
        e = record.envelope
        pattern = (
            rf"{re.escape(e.source)} -> {re.escape(e.destination)} +{record.kind} +\+{(e.t_deliver - e.t_send) / 1e6:.3f} ms"
        )
        assert [line for line in lines if re.search(rf"{pattern} +{len(record.raw)} B", line)], pattern
    assert f"{sum(each.payload_bits for each in air)} bits of payload, {sum(each.coded_bits for each in air)} coded" in took
    up, down = (sum(each.complex_symbols for each in air if each.direction == way) for way in ("up", "down"))
    assert f"{up} up, {down} down" in took and f"{sum(each.attempts for each in air)} attempts of {len(air)} transfers" in took
    total = re.match(rf"{re.escape(request)} to user\.\w+: ok after ([\d.]+) ms \((.*)\)", became)
    assert total is not None
    parts = [float(part.split()[1]) for part in total[2].split(", ")]
    assert len(parts) >= 5 and sum(parts) == pytest.approx(float(total[1]), abs=0.001 * len(parts))
