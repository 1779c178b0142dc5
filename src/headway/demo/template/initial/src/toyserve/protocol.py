"""The shapes of the completions API."""

from dataclasses import dataclass
from typing import Any

from toyserve.tokenizer import encode


class BadRequest(Exception):
    """What the client asked cannot be done; answered with ``status``."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    prompt: tuple[int, ...]
    max_tokens: int = 16


def parse(body: dict[str, Any]) -> Request:
    """A request from the body of ``POST /v1/completions``."""
    prompt = body.get("prompt", "")
    if not isinstance(prompt, str):
        raise BadRequest("prompt must be a string")
    return Request(
        prompt=tuple(encode(prompt)),
        max_tokens=int(body.get("max_tokens", 16)),
    )


def completion(model: str, text: str, finish: str | None) -> dict[str, Any]:
    """The body of an answer."""
    return {
        "object": "text_completion",
        "model": model,
        "choices": [{"index": 0, "text": text, "finish_reason": finish}],
    }


def model_list(model: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": model, "object": "model", "owned_by": "toyserve"}]}


def error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}
