"""Clips at a user: filmed, understood, tracked and told as what moves; or received and drawn from what is known of the camera.

With scheme ``aigc-scm`` a `ClipKnowledge` goes ahead of the prompt where receivers lack background or looks, and each receiver
draws the frames itself. With ``semcom`` every frame goes as JSCC symbols, through the same steps as a picture
(`models.framewise`); a receiver that watches for incidents then looks for them in what it decoded.
"""

import numpy as np

from ..bus import keys
from ..bus.clock import MS
from ..bus.content_messages import ClipKnowledge, GroupPrompt
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.errors import BadInput
from ..bus.messages import Arrived, Ask, Body, Tick
from ..bus.records import Capture, ClipTruth, Happened, Placed
from .accounting import body_bits
from .clips import incidents, looks, prompt, rendering
from .clips.street import make_traffic, street
from .clips.telling import MAP, Camera, tell
from .clips.tracking import tracks_of
from .clips.world import Clip, camera, film, make_clip
from .knowledge.items import LOOK, OWN
from .models.roles import PICTURE_SIDE, Box, Extract, Extractions, Picture
from .satisfaction import GENERATED
from .scenes.draw import Pixels
from .user_reconstructing import UserReconstructing
from .user_seeing import RECEIVED
from .user_state import Receiving, Sending

TELL_FLOPS, DRAW_FLOPS = 30_000_000, 4_000_000
"""Work of one frame: 2 ms (tracks, background, cut-outs) and 0.27 ms (drawing) of a core that does 15 GFLOP/s, measured."""
CLIP = "clip"
"""The one part of a video prompt."""


class UserClips(UserReconstructing):
    """Clips, both ways."""

    @property
    def films(self) -> bool:
        """Whether users send clips."""
        return self.settings.traffic.content == "clips"

    # --- the way out -----------------------------------------------------------------------------------------------

    def tick_picture(self, tick: Tick, ctx: Context) -> None:
        """Where users send clips: film one."""
        if not self.films:
            super().tick_picture(tick, ctx)
            return
        self.next_picture(ctx.now, tick.number + 1, ctx)
        self.wake(ctx)
        settings, number = self.settings.clips, tick.number
        clip = self.clip(number, ctx.seed)
        frames = film(clip)
        request, recipient = f"{self.id}/{number}", self.recipient(number, ctx)
        middle = [(b.label, b.colour, b.cx, b.cy, b.width, b.height, b.subject) for b in clip.boxes(clip.frames // 2).values()]
        sending = self.state.sending[request] = Sending(recipient, ctx.now, "mapping", frames.tobytes())
        truth = ClipTruth(settings.fps, _true_places(clip), [Happened(*_fields(each)) for each in clip.incidents])
        background = clip.still.background
        self.begin(Capture(request, recipient, sending.picture, middle, background, sending.task, clip=truth), sending, ctx)

    def clip(self, number: int, seed: int) -> Clip:
        """What is before a camera while a clip is filmed; cameras take turns."""
        settings, index = self.settings.clips, number % self.settings.clips.cameras
        key: tuple[keys.Key, ...] = (seed, "clip", self.id, number)
        if settings.world == "street":
            ground = street(seed, self.id, index)
            return make_traffic(*key, still=ground, frames=settings.frames, fps=settings.fps)
        ground = camera(seed, self.id, index)
        return make_clip(*key, still=ground, frames=settings.frames, fps=settings.fps, movers=settings.movers)

    def speaker(self, body: Body) -> str:
        """Who says what arrives."""
        return body.sender if isinstance(body, ClipKnowledge) else super().speaker(body)

    def cannot(self, ask: Ask) -> str:
        """Pictures alone can be asked for."""
        return "the users of this run send clips" if self.films else super().cannot(ask)

    def on_extractions(self, result: Extractions, event: Envelope, ctx: Context) -> None:
        """All frames of a clip have been looked at: an own one, one that was received, or one that was shown."""
        role, _, request = event.in_reply_to.partition(":")
        if role == "reception":
            self.tell_feedback(request, result.frames[len(result.frames) // 2], ctx)
            return
        seen = self.state.seen_clips[request] = [found.boxes for found in result.frames]
        self.work(TELL_FLOPS * len(seen), "clip_watched" if role == RECEIVED else "clip_told", request, ctx)

    def work(self, flops: int, tick: str, request: str, ctx: Context) -> None:
        """Take the time of some work on this user's device that no model does, then tick."""
        ctx.timer(self.work_ns(flops), Tick(tick, request=request))

    def tick_clip_told(self, tick: Tick, ctx: Context) -> None:
        """Say what moves, ahead of it what receivers lack."""
        request, settings = tick.request, self.settings.clips
        sending, seen = self.state.sending.pop(request), self.state.seen_clips.pop(request)
        number = int(request.rpartition("/")[2])
        index, group = number % settings.cameras, [sending.recipient, *sending.further]
        own = self.state.cameras.setdefault(index, Camera())
        told = tell(pixels(sending.picture), tracks_of(seen), own, group, settings)
        if told.lacking:
            knowledge = ClipKnowledge(request, self.id, index, told.lacking, told.background, told.looks)
            self.send_up(ctx, f"clip-kb:{request}:up", "kb", body_bits(knowledge), knowledge, request=request)
        content = prompt.ClipPromptContent(
            number % (1 << 16),
            self.around.number_of[sending.recipient],
            sending.t_ns // MS % (1 << 16),
            index,
            len(seen),
            settings.fps,
            settings.places,
            settings.step,
            told.things,
            told.incidents,
        )
        data, bits = prompt.encode(content)
        body = GroupPrompt(request, self.id, group, sending.t_ns, [CLIP], data, bits)
        self.send_up(ctx, f"prompt:{request}:up", "prompt", body_bits(body), body, request=request)
        self.remember(request, sending, f"{len(told.things)} things that move", ctx)

    # --- the way in ------------------------------------------------------------------------------------------------

    def got_clip_knowledge(self, knowledge: ClipKnowledge, message: Arrived, ctx: Context) -> None:
        """What stands before somebody's camera, and what things look like there; what cannot be opened is left out."""
        prefix = f"{knowledge.sender}:{knowledge.camera}"
        files = [(f"{prefix}:{look.number}", f"{look.colour} {look.label}", look.file, "RGBA") for look in knowledge.looks]
        if knowledge.background:
            files.append((f"{prefix}:background", "background", knowledge.background, "RGB"))
        for name, text, file, mode in files:
            try:
                picture = looks.opened(file, mode)
            except BadInput:
                continue
            if mode == "RGBA" or picture.shape == (PICTURE_SIDE, PICTURE_SIDE, 3):
                self.learn(ctx, LOOK, name, text, data=file, provenance=knowledge.sender, sharing=OWN)

    def got_group_prompt(self, prompt_: GroupPrompt, message: Arrived, ctx: Context) -> None:
        """A video prompt: read it, and draw for as long as that takes."""
        if not self.films:
            super().got_group_prompt(prompt_, message, ctx)
            return
        request = prompt_.request
        if request in self.state.receiving:
            return
        try:
            content = prompt.decode(prompt_.data)
        except BadInput as error:
            self.fail_group(prompt_, f"prompt cannot be read: {error.message}", ctx)
            return
        frames = self.draw(prompt_.sender, content)
        receiving = self.state.receiving[request] = Receiving(prompt_.t_ns, GENERATED, message.snr_db, frames.tobytes())
        courses = [(number, thing.label, places) for number, (thing, places) in enumerate(prompt.courses_of(content))]
        places = _places([(number, box) for number, _, boxes in courses for box in boxes.items()])
        receiving.clip = ClipTruth(content.fps, places, [Happened(*_fields(each)) for each in content.incidents])
        self.work(DRAW_FLOPS * content.frames, "clip_drawn", request, ctx)

    def draw(self, sender: str, content: prompt.ClipPromptContent) -> Pixels:
        """Frames from a prompt and this user's KB; where it lacks a background, on a map or on grey."""
        prefix = f"{sender}:{content.camera}"
        ground = self.state.kb.get(LOOK, f"{prefix}:background")
        plain = rendering.road_map() if self.settings.clips.background == MAP else rendering.grey()
        cut = {}
        for thing in content.things:
            item = self.state.kb.get(LOOK, f"{prefix}:{thing.look}")
            if item is not None:
                cut[thing.look] = looks.opened(item.data, "RGBA")
        return rendering.frames_of(content, plain if ground is None else looks.opened(ground.data, "RGB"), cut)

    def tick_clip_drawn(self, tick: Tick, ctx: Context) -> None:
        """Show it."""
        self.show(tick.request, Picture(self.state.receiving[tick.request].picture), ctx)

    def decoded(self, request: str, result: Picture, ctx: Context) -> None:
        """A clip that came as symbols: show it, or look for incidents in it first."""
        if not self.films or not self.settings.clips.watch:
            super().decoded(request, result, ctx)
            return
        self.state.receiving[request].picture = result.picture
        ctx.infer(self.runs("extractor"), Extract(result.picture), f"{RECEIVED}:{request}")

    def tick_clip_watched(self, tick: Tick, ctx: Context) -> None:
        """What moves in a received clip is known."""
        request, receiving = tick.request, self.state.receiving[tick.request]
        tracks = tracks_of(self.state.seen_clips.pop(request))
        found = incidents.incidents([(track.label, track.places) for track in tracks])
        places = _places([(number, box) for number, track in enumerate(tracks) for box in track.places.items()])
        receiving.clip = ClipTruth(self.settings.clips.fps, places, [Happened(*_fields(each)) for each in found])
        self.show(request, Picture(receiving.picture), ctx)


def pixels(clip: bytes) -> Pixels:
    """A clip's bytes -> uint8 (frames, 64, 64, 3)."""
    return np.frombuffer(clip, np.uint8).reshape(-1, PICTURE_SIDE, PICTURE_SIDE, 3)


def _fields(incident: incidents.Incident) -> tuple[str, int, float, float]:
    return incident.kind, incident.frame, incident.cx, incident.cy


def _places(entries: list[tuple[int, tuple[int, Box]]]) -> list[Placed]:
    """In order of frame, then number."""
    ordered = sorted(entries, key=lambda entry: (entry[1][0], entry[0]))
    return [
        Placed(frame, number, box.label, box.colour, box.cx, box.cy, box.width, box.height) for number, (frame, box) in ordered
    ]


def _true_places(clip: Clip) -> list[Placed]:
    """Movers by their numbers from 0, what stands still by -1, -2, ..."""
    movers = len(clip.movers)
    return _places(
        [
            (number if number < movers else movers - 1 - number, (frame, box))
            for frame in range(clip.frames)
            for number, box in clip.boxes(frame).items()
        ]
    )
