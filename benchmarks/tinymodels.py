"""Tiny models with random weights, for engines that are tested without weights of anyone's:
``PYTHON benchmarks/tinymodels.py FAMILY LAYERS FOLDER``, by an interpreter that has torch, transformers and tokenizers.

FAMILY is llama3, mixtral or llama4 (its text part), the families of clause E2. The tokenizer is trained on the spot, on
the text of Python's own help. The same seed each time. Nothing is fetched.
"""

from __future__ import annotations

import pydoc_data.topics
import sys
from pathlib import Path
from typing import Any

import torch
import transformers as t
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

# `vllm bench` draws ids up to 9,999.
VOCABULARY, CONTEXT = 12288, 2048
BEGIN, END, PAD = SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|pad|>")
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    # Wide and shallow: a layer's arithmetic is more than what Python costs around it.
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": False,
}
LLAMA4 = {"intermediate_size_mlp": 2048, "num_local_experts": 4, "attention_chunk_size": 512}
FAMILIES = {
    "llama3": lambda: t.LlamaForCausalLM(t.LlamaConfig(intermediate_size=2752, **SHAPE)),
    "mixtral": lambda: t.MixtralForCausalLM(t.MixtralConfig(intermediate_size=2048, sliding_window=None, **SHAPE)),
    "llama4": lambda: t.Llama4ForCausalLM(t.Llama4TextConfig(intermediate_size=2048, **LLAMA4, **SHAPE)),
}


def tokenizer() -> t.PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, 0)])
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIAL), initial_alphabet=letters, show_progress=False
    )
    made.train_from_iterator(pydoc_data.topics.topics.values(), trainer)
    return t.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=BEGIN, eos_token=END, pad_token=PAD, model_max_length=CONTEXT
    )


def main(family: str, layers: int, folder: Path) -> None:
    SHAPE["num_hidden_layers"] = layers
    torch.manual_seed(0)
    FAMILIES[family]().to(torch.bfloat16).save_pretrained(folder)
    tokenizer().save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
