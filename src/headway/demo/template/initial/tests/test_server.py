import json


def test_health(ask):
    assert ask("/health")[0] == 200


def test_models(ask):
    status, text = ask("/v1/models")
    assert status == 200
    assert [m["id"] for m in json.loads(text)["data"]] == ["test"]


def test_completion(ask):
    status, text = ask("/v1/completions", {"prompt": "hello", "max_tokens": 5})
    choice = json.loads(text)["choices"][0]
    assert status == 200
    assert len(choice["text"]) == 5
    assert choice["finish_reason"] == "length"


def test_a_prompt_that_is_no_text_is_refused(ask):
    assert ask("/v1/completions", {"prompt": 7})[0] == 400


def test_unknown_path(ask):
    assert ask("/nowhere")[0] == 404
