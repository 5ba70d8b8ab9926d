"""A tiny random classifier of any architecture of transformers, with a tokenizer of bytes.

The default configuration of an architecture is shrunk by the names of its sizes; what does not fit
together then is in `_MORE`. Weights are wide, so that different texts get clearly different logits.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoModelForSequenceClassification, PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS,
)

if TYPE_CHECKING:
    from pathlib import Path

ARCHITECTURES = sorted(CLASSIFIERS)
VOCABULARY = 320
_NAMES = {
    VOCABULARY: "vocab_size entity_vocab_size",
    128: "max_position_embeddings n_positions max_seq_len",
    64: "intermediate_size d_ff d_inner hidden_dim n_inner ffn_dim encoder_ffn_dim decoder_ffn_dim "
    "dff ffn_hidden_size moe_intermediate_size shared_expert_intermediate_size",
    32: "hidden_size d_model dim n_embd embedding_size emb_dim word_embed_proj_dim d_embed "
    "embed_dim input_size entity_emb_size pooler_hidden_size cross_attention_hidden_size",
    16: "kv_lora_rank q_lora_rank index_head_dim",
    8: "head_dim d_head d_kv attention_head_size qk_rope_head_dim "
    "qk_nope_head_dim v_head_dim rotary_dim",
    4: "num_attention_heads num_key_value_heads n_heads n_head num_heads encoder_attention_heads "
    "decoder_attention_heads num_experts num_local_experts n_routed_experts n_mamba_heads",
    2: "num_hidden_layers n_layers n_layer num_layers encoder_layers decoder_layers "
    "num_decoder_layers num_experts_per_tok n_group topk_group",
}
_SIZES = {name: size for size, names in _NAMES.items() for name in names.split()}
# Sizes that None stands for too, and special tokens above the small vocabulary.
_OFTEN_NONE = ("head_dim", "num_key_value_heads")
_SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
_KINDS = ("full_attention", "sliding_attention")
_ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
_HYBRID = {"num_hidden_layers": 3, "layers_block_type": ["linear_attention", "hybrid", "hybrid"]}
_MORE: dict[str, dict[str, Any]] = {
    "cohere_compass_text": {"rope_parameters": dict.fromkeys(_KINDS, _ROPE)},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "esm": {"vocab_size": VOCABULARY, "pad_token_id": 1, "mask_token_id": 3},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "t5": {"decoder_start_token_id": 0},
    "xmod": {"default_language": "en_XX"},
    "zamba": _HYBRID | {"attention_hidden_size": 64, "attention_head_dim": 16},
    "zamba2": _HYBRID,
}


def tiny_config(model_type: str, **changes: Any) -> PreTrainedConfig:
    """The configuration of an architecture in small, for three labels."""
    config = CONFIG_MAPPING[model_type]()
    _shrink(config)
    # Once more from its fields, so that sizes that follow from others do follow.
    config = type(config)(**{field.name: getattr(config, field.name) for field in fields(config)})
    config.num_labels = 3
    for name, value in {**_MORE.get(model_type, {}), **changes}.items():
        setattr(config, name, value)
    return config


def write_architecture(model_type: str, folder: Path, **changes: Any) -> Path:
    """Write a tiny classifier; `changes` replace keys of its configuration."""
    torch.manual_seed(1)
    config = tiny_config(model_type, **changes)
    model = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    model.save_pretrained(folder)
    byte_tokenizer(config).save(str(folder / "tokenizer.json"))
    # The class that reads tokenizer.json as it is.
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "TokenizersBackend"}')
    return folder


def byte_tokenizer(config: PreTrainedConfig) -> Tokenizer:
    """A token for each byte, in order of the free ids: `!` is 0 where no special token is."""
    special = {
        token: f"<{name[:3]}>" for name in _SPECIAL if (token := _special(config, name)) is not None
    }
    letters = iter(sorted(pre_tokenizers.ByteLevel.alphabet()))
    vocabulary = {
        special.get(index) or next(letters, f"unused{index}"): index for index in range(VOCABULARY)
    }
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special.values()))
    names = {name: token for token, name in special.items()}
    begin, end = (name if name in names else None for name in ("<bos>", "<eos>"))
    # Decoders of which no padding is known read a text alone; so the last byte decides.
    alone = _special(config, "pad_token_id") is None
    around = [None if alone or config.is_encoder_decoder else begin, "$A", None if alone else end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join(part for part in around if part),
        special_tokens=list(names.items()),
    )
    return tokenizer


def _special(config: PreTrainedConfig, name: str) -> int | None:
    found: int | None = getattr(config, name, None)
    return getattr(config.get_text_config(), name, None) if found is None else found


def _shrink(config: PreTrainedConfig) -> None:
    layers = getattr(config, "num_hidden_layers", None)
    for name, value in list(vars(config).items()):
        if isinstance(value, PreTrainedConfig):
            _shrink(value)
        elif (name in _SIZES and type(value) is int and value) or (
            name in _OFTEN_NONE and value is None
        ):
            setattr(config, name, _SIZES[name])
        elif isinstance(value, list) and len(value) == layers:
            # One entry for each layer; the last kinds differ more often than the first.
            setattr(config, name, value[-2:])
        elif name in _SPECIAL and value is not None and np.max(value) >= VOCABULARY:
            setattr(config, name, _SPECIAL[name])
    for name, value in _MORE.get(config.model_type, {}).items():
        setattr(config, name, value)
