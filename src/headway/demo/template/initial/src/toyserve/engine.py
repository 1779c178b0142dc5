"""Generation: from a request to pieces of text, one for each token."""

from collections.abc import Iterator
from dataclasses import dataclass

from toyserve.model import Transformer
from toyserve.protocol import Request
from toyserve.sampling import Sampler
from toyserve.tokenizer import decode


@dataclass(frozen=True)
class Piece:
    """The text of one token; ``finish`` says why it is the last one."""

    text: str
    finish: str | None = None


class Engine:
    def __init__(self, model: Transformer) -> None:
        self.model = model

    def generate(self, request: Request) -> Iterator[Piece]:
        sampler = Sampler()
        cache = self.model.new_cache()
        logits = self.model.forward(request.prompt, cache)
        made = 0
        while True:
            token = sampler.choose(logits)
            made += 1
            text = decode([token])
            if made >= request.max_tokens:
                yield Piece(text, "length")
                return
            yield Piece(text)
            logits = self.model.forward([token], cache)
