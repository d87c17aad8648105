"""Stage 2 at the receiver: decode, show, say how it was."""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Arrived, CodedPicture, Failure, Feedback, JsccPicture, Tick
from ..bus.records import Shown
from .accounting import body_bits
from .knowledge.items import HISTORY
from .models.roles import Calibrate, Decode, Denoise, Denoised, Extract, Extraction, Picture
from .picture_files import opened
from .satisfaction import GENERATED, quality, timeliness
from .user_learning import UserLearning
from .user_rehearsing import REHEARSAL, UserRehearsing
from .user_seeing import RECEIVED
from .user_state import Receiving


class UserReceiving(UserRehearsing, UserLearning):
    """The way in."""

    def got_jscc_picture(self, header: JsccPicture, message: Arrived, ctx: Context) -> None:
        """Symbols of a picture have arrived."""
        if self.around.weights(header.codec) not in self.state.decoders:
            ctx.record(Failure(header.request, self.id, f"no decoder for {header.codec}"))
            return
        self.state.receiving[header.request] = Receiving(header.t_ns, header.codec, message.snr_db)
        if header.denoise and not self.around.library.codec(header.codec).adaptive:  # it knows the specialists' features
            ctx.infer(self.runs("denoiser"), Denoise(message.symbols, header.codec, message.snr_db), f"denoiser:{header.request}")
            return
        ctx.infer(
            self.runs("jscc_decoder"),
            Decode(message.symbols, header.codec, message.snr_db, header.frames or 1),
            f"jscc_decoder:{header.request}",
        )

    def got_coded_picture(self, body: CodedPicture, message: Arrived, ctx: Context) -> None:
        """A picture has arrived as a file."""
        picture = opened(body.file)
        self.state.receiving[body.request] = Receiving(body.t_ns, body.codec, message.snr_db, picture)
        ctx.timer(self.work_ns(self.around.formats[body.codec].decode_flops), Tick("decoded", request=body.request))

    def tick_decoded(self, tick: Tick, ctx: Context) -> None:
        """It is open."""
        self.decoded(tick.request, Picture(self.state.receiving[tick.request].picture), ctx)

    def on_denoised(self, result: Denoised, event: Envelope, ctx: Context) -> None:
        """Features are as near to the sent ones as they get: decode them."""
        request = event.in_reply_to.partition(":")[2]
        codec = self.state.receiving[request].codec
        ctx.infer(self.runs("jscc_decoder"), Decode(result.symbols, codec, result.snr_db), f"jscc_decoder:{request}")

    def on_picture(self, result: Picture, event: Envelope, ctx: Context) -> None:
        """Decoded: show it, or look at it first, to repair it."""
        role, _, request = event.in_reply_to.partition(":")
        if role == "jscc_decoder":
            self.decoded(request, result, ctx)
        elif role == REHEARSAL:
            self.rehearsed_picture(request, result.picture, ctx)
        else:
            self.show(request, result, ctx)

    def decoded(self, request: str, result: Picture, ctx: Context) -> None:
        """Show it, or look at it first."""
        if self.settings.calibrate:
            self.state.receiving[request].picture = result.picture
            ctx.infer(self.runs("extractor"), Extract(result.picture, self.looks()), f"{RECEIVED}:{request}")
        else:
            self.show(request, result, ctx)

    def understood_received(self, request: str, seen: Extraction, ctx: Context) -> None:
        """What the picture shows is known: repair it by that and by the references of own subjects."""
        receiving = self.state.receiving[request]
        own = {box.subject: self.state.references[box.subject] for box in seen.boxes if box.subject in self.state.references}
        call = Calibrate(receiving.picture, receiving.snr_db, [], seen.background, seen.boxes, own)
        ctx.infer(self.runs("calibrator"), call, f"calibrator:{request}")

    def show(self, request: str, result: Picture, ctx: Context) -> None:
        """Show the picture, remember it, and tell the edge how satisfied this user is."""
        receiving = self.state.receiving.pop(request)
        latency_ns = ctx.now - receiving.t_ns
        told = receiving.codec, receiving.snr_db, latency_ns
        ctx.record(Shown(request, result.picture, *told, clip=receiving.clip), private=True)
        self.learn(ctx, HISTORY, request, f"from {request.partition('/')[0]}", provenance=request.partition("/")[0])
        history = self.state.kb.of_kind(HISTORY)
        if len(history) > self.settings.knowledge.history_items:
            self.forget(ctx, HISTORY, history[0].name)
        generated = receiving.codec == GENERATED
        good = 1.0 if generated else quality(self.around.predicted_psnr_db(receiving.codec, receiving.snr_db))
        feedback = Feedback(request, good * timeliness(latency_ns), good, latency_ns)
        if not self.look_back(feedback, result.picture, ctx):
            self.send_feedback(feedback, ctx)

    def tell_feedback(self, request: str, found: Extraction, ctx: Context) -> None:
        """The shown picture has been looked at again, for its sender to learn."""
        self.send_feedback(self.looked_back(request, found), ctx)

    def send_feedback(self, feedback: Feedback, ctx: Context) -> None:
        """To the edge."""
        request = feedback.request
        self.send_up(ctx, f"feedback:{request}", "feedback", body_bits(feedback), feedback, request=request)
