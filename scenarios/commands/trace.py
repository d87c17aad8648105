"""``semcast trace``: what was said in a run, by agent, kind, time or request; exported, repaired; and its ledger of credits."""

import argparse
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from .output import add_json, write_json

if TYPE_CHECKING:
    from ...bus.trace_reading import TraceRecord

HELP = "print the records of a run: messages, timers, model results, decisions"
EXAMPLE = "semcast trace runs/two-users-001 --follow user.mia/0"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", metavar="RUN", help="run folder")
    parser.add_argument("--agent", metavar="ID", help="only records sent by or to this agent")
    parser.add_argument("--kind", metavar="KIND", help="only this kind, such as uplink, decision, air_record")
    parser.add_argument("--request", metavar="R", help="only records of this request, such as user.07/3")
    parser.add_argument("--follow", metavar="R", help="the story of one request, with times since its start")
    parser.add_argument("--from", metavar="S", type=float, dest="start_s", help="from this simulated second on")
    parser.add_argument("--to", metavar="S", type=float, dest="end_s", help="up to this simulated second")
    parser.add_argument("--private", action="store_true", help="also private records (a user's own pictures and KB)")
    parser.add_argument("--limit", metavar="N", type=int, default=0, help="at most N records")
    parser.add_argument("--export", metavar="FILE", default="", help="write the chosen records to a new .parquet file instead")
    parser.add_argument("--repair", action="store_true", help="make segments whole that were cut; the old ones stay as NAME.cut")
    parser.add_argument("--ledger", action="store_true", help="check the run's ledger of credits; its blocks, and credits a user")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Print the chosen records."""
    from ..folder import read_run

    read_run(args.run)
    _warn_if_newer(args.run)
    if args.limit < 0:
        raise BadInput(f"--limit {args.limit}: at least 1 record, or 0 for all", "for instance --limit 20")
    if args.repair and args.export:
        raise BadInput("--repair and --export are two steps", f"semcast trace {args.run} --repair")
    if args.repair:
        return _repair(args)
    if args.ledger:
        return _ledger(args)
    records = _chosen(args)
    if args.follow and (not records or "/" not in args.follow):
        hint = f"each has a record: semcast trace {args.run} --kind capture --private"
        raise BadInput(f"{args.run}: there is no request {args.follow!r}", hint)
    if not records:
        _say_why_empty(args)
    if args.export:
        return _export(args, records)
    if args.json:
        _write_json(records)
        return 0
    start_ns = records[0].envelope.t_send if args.follow else 0
    if args.follow:
        print(f"{args.follow} starts at {start_ns / 1e9:.6f} s; times since then")
    for record in records:
        print(line(record, start_ns))
    if args.follow:
        _print_totals(Path(args.run), args.follow)
    return 0


_STAGES = ("extract", "queue", "air", "backhaul", "wait", "generate", "encode", "decode", "calibrate")


def _print_totals(run: Path, request: str) -> None:
    """What became of a request, where its time went, and what it took: its row, if the run has come so far."""
    import pyarrow.parquet as pq

    from ..folder import ROWS_FILE

    if not (run / ROWS_FILE).exists():
        return
    for row in pq.read_table(run / ROWS_FILE).to_pylist():
        if row["request"].partition(">")[0] != request:  # a group's have a row for each receiver
            continue
        spent = ", ".join(f"{stage} {row[f'{stage}_s'] * 1e3:.3f}" for stage in _STAGES if row[f"{stage}_s"])
        end = f"{row['status']} {row['reason']}".strip()
        print(f"{request} to {row['receiver']}: {end} after {row['latency_s'] * 1e3:.3f} ms ({spent})")
        bits = f"{row['payload_bits']} bits of payload, {row['coded_bits']} coded"
        symbols = f"complex symbols: {row['symbols_up']} up, {row['symbols_down']} down, {row['symbols_pilot']} of them pilots"
        print(f"{bits}; {symbols}; {row['attempts']} attempts of {row['transfers']} transfers")


def _warn_if_newer(run: str) -> None:
    """A newer semcast's records are shown as they are; that is said."""
    from ... import __version__
    from ...bus.trace_reading import TraceReader
    from ..replaying.recorded import newer

    made = newer(TraceReader(Path(run)))
    if made:
        known = "kinds that it does not know are shown as they are"
        print(f"semcast: {run} was made by semcast {made}, and this is semcast {__version__}: {known}", file=sys.stderr)


def _say_why_empty(args: argparse.Namespace) -> None:
    """Nothing was found: an error if no record of the run has this agent, kind or request at all; else a word on stderr."""
    from ...bus.trace_reading import TraceReader
    from ..mistakes import nearest, some_of

    agents, kinds, requests, hidden = set(), set(), set(), 0
    for record in TraceReader(Path(args.run)).records(private=True):
        agents |= {record.envelope.source, record.envelope.destination}
        kinds.add(record.kind)
        if record.kind == "capture":
            requests.add(record.envelope.payload.request)
    if not args.private and not args.follow:
        args.private = True
        hidden = len(_chosen(args))
    for name, given, known in (("agent", args.agent, agents), ("kind", args.kind, kinds), ("request", args.request, requests)):
        if given and given not in known:
            names = sorted(known)
            near = nearest(given, names)
            what = f"; did you mean {near!r}?" if near else ""
            raise BadInput(f"--{name} {given}: there is none in {args.run}{what}", f"there are {some_of(names)}")
    remedy = f"{hidden} private records fit: add --private" if hidden else "no record fits"
    print(f"semcast: {args.run}: {remedy}", file=sys.stderr)


def _repair(args: argparse.Namespace) -> int:
    from ...bus.repair import repair
    from ...bus.verification import checksums
    from ..folder import held, read_run, write_run

    folder = Path(args.run)
    with held(folder):  # segments that are still written to end in the middle, too
        found = repair(folder)
        state = read_run(folder)
        if found and isinstance(state.get("trace"), dict):  # the files are other ones now; their records have the hash chains
            fresh = checksums(one.old.with_name(one.segment) for one in found)
            write_run(folder, state | {"trace": state["trace"] | fresh})
    if args.json:
        rows = [{"segment": one.segment, "records": one.messages, "reason": one.reason, "old": str(one.old)} for one in found]
        write_json({"repaired": rows})
        return 0
    for one in found:
        print(f"{one.segment}: {one.messages} records kept; {one.reason}; the old file is {one.old}")
    print(
        args.run if found else f"{args.run}: no segment is cut (whether bytes have changed: semcast replay {args.run} --verify)"
    )
    return 0


def _ledger(args: argparse.Namespace) -> int:
    from ...policies.incentive.sharing import MICRO
    from ..ledger import read_ledger

    found = read_ledger(Path(args.run))
    blocks, accounts = found.blocks(), found.accounts()
    if args.json:
        write_json({"blocks": blocks, "accounts": accounts, "budget": found.rules.budget / MICRO})
        return 0
    for block in blocks:
        earned = sum(entry["credits"] for entry in block["entries"])
        seen = f"{block['attested']} of {len(block['validators'])} validators attest it: {', '.join(block['validators'])}"
        print(f"block {block['block']}: {len(block['entries'])} entries, {earned:.6g} credits; {seen}")
    for row in accounts:
        print(f"{row['user']:>10} {row['credits']:10.6f} credits, {row['validation']:.6f} of them for validation")
    total = sum(row["credits"] for row in accounts)
    paid = f"{total:.6g} of {found.rules.budget / MICRO:g} credits paid"
    print(f"{args.run}: {len(blocks)} blocks hold (chained by hash, attested); {paid}")
    return 0


def _export(args: argparse.Namespace, records: "list[TraceRecord]") -> int:
    from ..export import export_parquet

    rows = export_parquet(records, Path(args.export))
    write_json({"records": rows, "file": args.export}) if args.json else print(f"{rows} records\n{args.export}")
    return 0


def _chosen(args: argparse.Namespace) -> "list[TraceRecord]":
    from ...bus.trace_reading import TraceReader

    request = args.follow or args.request
    records: Iterator[TraceRecord] = TraceReader(Path(args.run)).records(
        agent=args.agent,
        kind=args.kind,
        start_ns=None if args.start_s is None else round(args.start_s * 1e9),
        end_ns=None if args.end_s is None else round(args.end_s * 1e9),
        private=args.private or bool(args.follow),
    )
    if request:
        records = _about(request, records)
    if args.follow:  # as it happened, not in the order of delivery
        records = iter(sorted(records, key=lambda record: (record.envelope.t_send, record.envelope.t_deliver)))
    return list(itertools.islice(records, args.limit or None))


def _about(request: str, records: "Iterator[TraceRecord]") -> "Iterator[TraceRecord]":
    """Records in which the request appears, results of its model calls included (their keys name it)."""
    import msgspec

    mention = msgspec.msgpack.encode(request)
    key = re.compile(rf"(^|:){re.escape(request)}($|:)")
    for record in records:
        if mention in record.raw or key.search(record.envelope.in_reply_to):
            yield record


def line(record: "TraceRecord", start_ns: int = 0) -> str:
    """One record on one line: time, who to whom, kind, delay, size, and what it says in short."""
    envelope = record.envelope
    to = "" if envelope.destination == envelope.source else f"-> {envelope.destination}"
    took_ms = (envelope.t_deliver - envelope.t_send) / 1e6
    took = f"+{took_ms:.3f} ms" if took_ms else ""
    when_ms = (envelope.t_send - start_ns) / 1e6
    told = f"{took:>14} {size(record):>20}  {summary(record)}"
    return f"{when_ms:12.3f} ms {envelope.source:>10} {to:<13} {record.kind:<16} {told}".rstrip()


def size(record: "TraceRecord") -> str:
    """How large it is: bits and symbols of a transfer over the air, bytes of what an agent sent; empty for what it kept."""
    payload = record.envelope.payload
    if record.kind == "air_record" and not isinstance(payload, dict):
        return f"{payload.payload_bits} bit {payload.complex_symbols} sym"
    return f"{len(record.raw)} B" if record.envelope.destination != record.envelope.source else ""


def summary(record: "TraceRecord") -> str:
    """The payload's fields in short: no pictures, no vectors."""
    from ...bus.trace_reading import envelope_to_builtins

    payload = envelope_to_builtins(record.envelope, limit=12)["payload"]
    parts = []
    for key, value in payload.items() if isinstance(payload, dict) else ():
        if key in ("type", "context") or value in ("", [], {}, 0, None):
            continue
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        parts.append(f"{key}={text if len(text) <= 60 else text[:57] + '...'}")
    return " ".join(parts)


def _write_json(records: "list[TraceRecord]") -> None:
    from ...bus.trace_reading import envelope_to_builtins

    sys.stdout.write('{"records": [\n')
    for i, record in enumerate(records):
        sys.stdout.write((",\n" if i else "") + json.dumps({"kind": record.kind} | envelope_to_builtins(record.envelope)))
    sys.stdout.write("\n]}\n")
