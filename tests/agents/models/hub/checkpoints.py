"""Checkpoints of the hub table's classes at tiny size with random weights, saved as the hub's cache has them.

Files are named and written as in the published repositories (old-style tokenizers and image processors), so that reading them is
what reading the published ones will be.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from semcast.agents.models.hub.table import TABLE, Checkpoint

WORDS = ("a", "red", "blue", "dog", "cat", "cup", "on", "grass", "snow", "and", "with", "keywords", "goal")
LETTERS = "abcdefghijklmnopqrstuvwxyz,.'-:"
COCO = ("N/A", "person", "bicycle", "car", "airplane", "traffic light", "dog", "cup", "sports ball")
OLD_ATTENTION = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
SIDE = 32
"""Side of what the tiny generators make."""


def make_all(folder: Path) -> Path:
    """All checkpoints of the table in a cache below `folder`."""
    for row in TABLE:
        make(folder, row)
    return folder


def make(folder: Path, row: Checkpoint) -> Path:
    """One checkpoint; returns its snapshot's folder."""
    is_commit = len(row.revision) == 40
    commit = row.revision if is_commit else f"{TABLE.index(row):040x}"
    base = folder / ("models--" + row.id.replace("/", "--"))
    snapshot = base / "snapshots" / commit
    snapshot.mkdir(parents=True)
    if not is_commit:
        (base / "refs" / row.revision).parent.mkdir(parents=True)
        (base / "refs" / row.revision).write_text(commit)
    torch.manual_seed(TABLE.index(row))
    MAKERS[row.name](snapshot)
    return snapshot


def captioner_vit_gpt2(folder: Path) -> None:
    """ViT and GPT-2."""
    size = _gpt2_words(folder)
    vision = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=SIDE, patch_size=8
    )
    text = transformers.GPT2Config(
        n_embd=16, n_layer=1, n_head=2, n_positions=64, vocab_size=size, add_cross_attention=True, is_decoder=True,
        bos_token_id=size - 1, eos_token_id=size - 1,
    )  # fmt: skip
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision, text)
    config.decoder_start_token_id = config.pad_token_id = config.eos_token_id = config.bos_token_id = size - 1
    model = _awake(transformers.VisionEncoderDecoderModel(config))
    _talkative(model.decoder.transformer.wte.weight)
    _save(model, folder)
    _pixels(folder, "ViTFeatureExtractor", size=SIDE)


def captioner_blip(folder: Path) -> None:
    """BLIP."""
    size = _bert_words(folder) + 2  # the tokens that begin a text are not in the list of words
    text = {
        "hidden_size": 16,
        "encoder_hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    text |= {"projection_dim": 8, "vocab_size": size, "max_position_embeddings": 64, "bos_token_id": size - 2, "sep_token_id": 3}
    text |= {"pad_token_id": 0, "eos_token_id": 3}
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision |= {"projection_dim": 8, "image_size": SIDE, "patch_size": 8}
    config = transformers.BlipConfig(text_config=text, vision_config=vision)
    _save(_awake(transformers.BlipForConditionalGeneration(config)), folder)
    _pixels(folder, "BlipImageProcessor", size={"height": SIDE, "width": SIDE}, processor_class="BlipProcessor")


def detector_yolos(folder: Path) -> None:
    """YOLOS."""
    config = transformers.YolosConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=[48, 64], patch_size=8,
        num_detection_tokens=6, use_mid_position_embeddings=False, **_classes(),
    )  # fmt: skip
    model = _awake(transformers.YolosForObjectDetection(config))
    _sure(model.class_labels_classifier.layers[-1])
    _save(model, folder)
    _pixels(folder, "YolosFeatureExtractor", size=48, max_size=64, format="coco_detection")


def detector_detr(folder: Path) -> None:
    """DETR with a ResNet of transformers."""
    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"]
    )
    config = transformers.DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, d_model=16,
        num_queries=6, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=32, decoder_ffn_dim=32, **_classes(),
    )  # fmt: skip
    model = _awake(transformers.DetrForObjectDetection(config))
    _sure(model.class_labels_classifier)
    _save(model, folder)
    _pixels(folder, "DetrFeatureExtractor", size=64, max_size=96, format="coco_detection")


def clip_b32(folder: Path) -> None:
    """CLIP."""
    size = _clip_words(folder)
    text = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": size}
    text |= {"bos_token_id": size - 2, "eos_token_id": size - 1, "max_position_embeddings": 77}
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision |= {"image_size": SIDE, "patch_size": 8}
    _save(transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)), folder)
    _pixels(folder, "CLIPFeatureExtractor", size=SIDE, crop_size=SIDE, do_center_crop=True)


def embedder_minilm(folder: Path) -> None:
    """BERT."""
    size = _bert_words(folder)
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        vocab_size=size,
        max_position_embeddings=80,
    )
    _save(transformers.BertModel(config), folder)


def language_gpt_neo(folder: Path) -> None:
    """GPT-Neo."""
    size = _gpt2_words(folder)
    config = transformers.GPTNeoConfig(
        hidden_size=16, num_layers=2, num_heads=2, attention_types=[[["global", "local"], 1]], window_size=16, vocab_size=size,
        max_position_embeddings=256, bos_token_id=size - 1, eos_token_id=size - 1,
    )  # fmt: skip
    model = _awake(transformers.GPTNeoForCausalLM(config))
    _talkative(model.transformer.wte.weight)
    _save(model, folder)


def generator_stable_diffusion_2_1(folder: Path) -> None:
    """Stable Diffusion 2.1: linear projections, predicts the velocity, DDIM."""
    schedule = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, prediction_type="v_prediction",
    )  # fmt: skip
    _pipeline(folder, schedule, use_linear_projection=True)


def generator_gligen(folder: Path) -> None:
    """GLIGEN: gated attention; its index names a plain pipeline with a safety checker, as the published one does."""
    schedule = PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    _pipeline(folder, schedule, attention_type="gated")


def _pipeline(folder: Path, schedule: Any, **unet: Any) -> None:
    size = _clip_words(folder / "tokenizer")
    text = transformers.CLIPTextConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, vocab_size=size, bos_token_id=size - 2,
        eos_token_id=size - 1, projection_dim=16,
    )  # fmt: skip
    network = UNet2DConditionModel(
        sample_size=SIDE // 2, block_out_channels=(8, 16), layers_per_block=1, cross_attention_dim=16, norm_num_groups=4,
        attention_head_dim=2, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **unet,
    )  # fmt: skip
    for name, weight in network.named_parameters():
        if "alpha_" in name:  # gates start closed, a trained one is open
            torch.nn.init.constant_(weight, 1.0)
    vae = AutoencoderKL(
        block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4, latent_channels=4, sample_size=SIDE,
    )  # fmt: skip
    _save(transformers.CLIPTextModel(text), folder / "text_encoder")
    network.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    _rename(folder / "text_encoder" / "model.safetensors", {"": "text_model."})
    _rename(folder / "vae" / "diffusion_pytorch_model.safetensors", OLD_ATTENTION)
    schedule.save_pretrained(folder / "scheduler")
    index = {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.20.0", "requires_safety_checker": False}
    index |= {"feature_extractor": ["transformers", "CLIPImageProcessor"], "safety_checker": [None, None]}
    index |= {"scheduler": ["diffusers", type(schedule).__name__], "text_encoder": ["transformers", "CLIPTextModel"]}
    index |= {"tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"]}
    _json(folder / "model_index.json", index | {"vae": ["diffusers", "AutoencoderKL"]})


def _rename(file: Path, names: dict[str, str]) -> None:
    """Weights by the names that they had when the checkpoints were published; an empty name stands for the beginning."""
    renamed = {}
    for key, weight in load_file(file).items():
        for new, old in names.items():
            key = old + key if not new else key.replace(new, old)
        renamed[key] = weight
    save_file(renamed, file, metadata={"format": "pt"})


def _save(model: Any, folder: Path) -> None:
    model.eval().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)  # the older repositories have none


def _awake(model: Any) -> Any:
    """The usual small random weights hardly look at a picture; with these, different pictures make a difference."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(0.0, weight[0].numel() ** -0.5 * 1.5)
    return model


def _sure(classes: torch.nn.Linear) -> None:
    """Every query sees something, and is sure of what."""
    with torch.no_grad():
        classes.weight.mul_(20)
        classes.bias[[0, -1]] = -1000.0  # neither the gap in the numbering nor nothing


def _talkative(words: torch.nn.Parameter) -> None:
    """The end of a text is unlikely."""
    with torch.no_grad():
        words.mul_(3)
        words[-1] = 0.0


def _classes() -> dict[str, Any]:
    return {"id2label": dict(enumerate(COCO)), "label2id": {name: number for number, name in enumerate(COCO)}}


def _pixels(folder: Path, kind: str, **more: Any) -> None:
    mean = {"do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2}
    name = "image_processor_type" if kind.endswith("Processor") else "feature_extractor_type"
    _json(folder / "preprocessor_config.json", {name: kind, **mean, **more})


def _gpt2_words(folder: Path) -> int:
    """Letters, "Ġ" for a space and "Ċ" for a line's end, as in GPT-2; returns the number of tokens, the last one ends a text."""
    tokens = [*LETTERS, "Ġ", "Ċ", "<|endoftext|>"]
    _json(folder / "vocab.json", {token: number for number, token in enumerate(tokens)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 64})
    return len(tokens)


def _clip_words(folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    tokens = [*LETTERS, *(letter + "</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    _json(folder / "vocab.json", {token: number for number, token in enumerate(tokens)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True})
    return len(tokens)


def _bert_words(folder: Path) -> int:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS, *("##" + letter for letter in LETTERS)]
    tokens = list(dict.fromkeys(tokens))
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")
    _json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64})
    return len(tokens)


def _json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1))


MAKERS: dict[str, Callable[[Path], None]] = {
    "vit-gpt2": captioner_vit_gpt2,
    "blip": captioner_blip,
    "yolos": detector_yolos,
    "detr": detector_detr,
    "clip-b16": clip_b32,
    "clip-b32": clip_b32,
    "stable-diffusion-2-1": generator_stable_diffusion_2_1,
    "gligen": generator_gligen,
    "minilm": embedder_minilm,
    "gpt-neo": language_gpt_neo,
}
