"""What a reader must know before believing a number: the simplifications of a run."""

from ...agents.settings import AT_RECEIVERS, FILES, NetworkSettings


def notes(settings: NetworkSettings, profile: str = "tiny") -> list[str]:
    """One sentence a simplification, for these settings and this model profile."""
    radio = settings.radio
    found = ["Cells are orthogonal: no interference between base stations, nor between users of one cell."]
    if radio.fixed_snr_db is not None:
        found.append(
            f"Every link has the same mean SNR of {radio.fixed_snr_db:g} dB (radio.fixed_snr_db); there is no path loss."
        )
    if radio.model == "rayleigh":
        found.append("Fading is flat Rayleigh, constant over a coherence block; there is no frequency selectivity.")
    else:
        found.append("The channel is AWGN; there is no fading.")
    found.append("Coded links use tables of block error rates counted with Sionna, not real encoding of every block.")
    if radio.perfect_csi:
        found.append("CSI is perfect and free: a genie.")
    found.append("Handover follows the true mean path gain of all stations, without measurement errors or cost.")
    found.append("What waits for a user that has moved on is forwarded between base stations without a charge.")
    found.append("HARQ feedback is charged, but free of errors.")
    found.append("Backhaul has latency, but no limit of rate and no errors.")
    found.append("Computation takes FLOPs over the configured speed of a processor; memory and batching cost nothing.")
    found += _of_content(settings)
    if profile == "hub":
        found.append(
            "Published models work at their own size; between agents their pictures are scaled to 64 x 64 by area means, "
            "which the JSCC codecs of the scene world carry."
        )
        found.append("The extractor's thresholds are not calibrated on the scene world.")
    if profile == "table":
        found.append(
            "Models are a table of what the tiny models did in measured runs (semcast calibrate models): pictures are sketches "
            "of what they show, symbols are counted, and scores are those of measured requests with the same causes."
        )
    if settings.radio.idle_s:
        found.append(
            "Users without traffic do not measure; what is sent to one that has moved on goes where it was attached last."
        )
    if settings.knowledge.invited_share < 1:
        found.append("Only a share of the users takes part in the preparation; the others keep what they know to themselves.")
    if settings.security.signatures:
        found.append(
            "Signatures have the size of Ed25519's and are keyed hashes: keys follow from the run's seed; signing and checking "
            "take no time."
        )
    if settings.adversary.stations:
        found.append(
            "The adversary holds no message back and touches neither CSI nor pictures, feedback or the operator's control. "
            "Users who sign false prompts of their own are not looked for."
        )
    if settings.scheme in AT_RECEIVERS:
        found.append(
            "Receivers hold a generator from the beginning: what it has learned of the world in general is not charged, as in "
            "the paper. Identifiers of personal subjects are charged, which the paper leaves out, and so is the history."
        )
        found.append(
            "Policies of noise, prompt, encoder and incentive decide nothing here: the variant says what a prompt tells."
        )
    if settings.scheme == "gai-scn":
        found.append("Branch models are learned identifier vectors of shared subjects; adapters of whole models come later.")
    return found


def _of_content(settings: NetworkSettings) -> list[str]:
    """What is simple about that which users send."""
    content, found = settings.traffic.content, []
    if settings.traffic.images:
        found.append("Pictures are those of a folder, cut to squares of 64 x 64 pixels; they are judged by their pixels alone.")
    elif content == "text":
        found.append(
            "Texts are journeys, written by a grammar of ours; extractor, composer and calibrator of wording are programs for "
            "such texts, no language models, and their FLOPs and joules are not counted."
        )
        found.append(
            "The judge of texts knows all sentences that users and the composer write, and reads damaged ones by the cues of the "
            "sender's reader: it is not apart from the agents."
        )
    else:
        found.append("Pictures come from a drawn scene world of 64 x 64 pixels, not from cameras.")
    if content == "clips":
        found.append("FLOPs and joules of tracking, of telling what moves and of drawing clips are not counted; their time is.")
    if settings.scheme in FILES or settings.coded_fallback:
        found.append("FLOPs and joules of writing and opening files are not counted; their time is.")
    if settings.scheme in FILES or settings.coded_fallback or content != "pictures":
        found.append("Work outside models (files, texts, tracks, drawing) takes its time, but does not queue for its processor.")
    return found
