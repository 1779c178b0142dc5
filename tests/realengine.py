"""A real engine for tests: llama.cpp's own HTTP server, from xllamacpp, over a tiny model with random weights.

A build has a number of layers, and serves the model that has so many: two against four layers is a slowdown that is
there for certain, and that nothing but the engine's own arithmetic makes.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

WIDTH, HIDDEN, HEADS, KV_HEADS, CONTEXT = 512, 1376, 8, 4, 2048
MERGED, SPECIAL = ("t", "h"), ("<|begin|>", "<|end|>")

# What a build holds: a module that is started with a port and the folder of the models.
SERVER = """
import signal, sys, threading

import xllamacpp

LAYERS = @LAYERS@


def main():
    asked = xllamacpp.CommonParams()
    asked.model.path = f"{sys.argv[2]}/layers{LAYERS}.gguf"
    asked.port = int(sys.argv[1])
    asked.n_parallel, asked.n_ctx, asked.warmup = 1, 2048, True
    asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = 1
    # The name of the address differs between its versions.
    if hasattr(asked, "hostnames"):
        asked.hostnames = ["127.0.0.1"]
    else:
        asked.hostname = "127.0.0.1"
    server = xllamacpp.Server(asked)
    print("listening:", server.listening_address, "version:", xllamacpp.__version__, "layers:", LAYERS, flush=True)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    while not ended.wait(1):
        pass


if __name__ == "__main__":
    main()
"""


def server_source(layers: int) -> str:
    return SERVER.replace("@LAYERS@", str(layers))


def library(folder: Path) -> Path:
    """A folder for ``PYTHONPATH`` that has xllamacpp and nothing else: environments of builds need no index for it."""
    import xllamacpp

    folder.mkdir(parents=True)
    (folder / "xllamacpp").symlink_to(Path(xllamacpp.__file__).parent)
    return folder


def model(folder: Path, layers: int) -> Path:
    """``layers<n>.gguf``: a dense Llama in half precision, the same bytes each time. Its tokens are bytes, and
    one pair of them, since llama.cpp wants a merge."""
    path, rng = folder / f"layers{layers}.gguf", np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    w = gguf.GGUFWriter(path, "llama")
    vocabulary = _describe(w, layers)

    def weights(name: str, *shape: int) -> np.ndarray:
        made = (rng.standard_normal(shape, dtype=np.float32) * 0.02).astype(np.float16)
        w.add_tensor(name, made)
        return made

    def ones(name: str) -> None:
        w.add_tensor(name, np.ones(WIDTH, np.float32))

    weights("token_embd.weight", len(vocabulary), WIDTH)
    # Only letters can win: half a character at the end of a chunk is held back, and would be no token in time.
    weights("output.weight", len(vocabulary), WIDTH)[[not t.isascii() or t in SPECIAL for t in vocabulary]] = 0
    ones("output_norm.weight")
    narrow = WIDTH // HEADS * KV_HEADS
    for i in range(layers):
        block = f"blk.{i}."
        ones(block + "attn_norm.weight")
        ones(block + "ffn_norm.weight")
        weights(block + "attn_q.weight", WIDTH, WIDTH)
        weights(block + "attn_k.weight", narrow, WIDTH)
        weights(block + "attn_v.weight", narrow, WIDTH)
        weights(block + "attn_output.weight", WIDTH, WIDTH)
        weights(block + "ffn_gate.weight", HIDDEN, WIDTH)
        weights(block + "ffn_up.weight", HIDDEN, WIDTH)
        weights(block + "ffn_down.weight", WIDTH, HIDDEN)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path


def _describe(w: gguf.GGUFWriter, layers: int) -> list[str]:
    """Write what the model is; its vocabulary."""
    w.add_name("tiny, random weights")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(WIDTH)
    w.add_block_count(layers)
    w.add_feed_forward_length(HIDDEN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(WIDTH // HEADS)
    w.add_rope_freq_base(500000.0)
    vocabulary = [*_byte_letters(), "".join(MERGED), *SPECIAL]
    w.add_vocab_size(len(vocabulary))
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("llama-bpe")
    w.add_token_list(vocabulary)
    ordinary = [gguf.TokenType.NORMAL] * (len(vocabulary) - len(SPECIAL))
    w.add_token_types([*ordinary, *[gguf.TokenType.CONTROL] * len(SPECIAL)])
    w.add_token_merges([" ".join(MERGED)])
    w.add_bos_token_id(len(vocabulary) - 2)
    w.add_eos_token_id(len(vocabulary) - 1)
    w.add_add_bos_token(True)
    return vocabulary


def _byte_letters() -> list[str]:
    """GPT-2's letter for each byte: itself where it can be printed, one beyond them all where it cannot."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in plain] + [chr(256 + n) for n in range(256 - len(plain))]
