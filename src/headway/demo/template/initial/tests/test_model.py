import numpy as np

from toyserve.tokenizer import decode, encode


def test_tokens_are_bytes():
    assert encode("aé") == [97, 195, 169]
    assert decode(encode("aé")) == "aé"


def test_a_step_at_a_time_equals_all_at_once(model):
    tokens = encode("the quick brown fox")
    cache = model.new_cache()
    for token in tokens:
        step = model.forward([token], cache)
    whole = model.forward(tokens, model.new_cache())
    np.testing.assert_allclose(step, whole, rtol=1e-3, atol=1e-3)


def test_a_prompt_then_steps_equals_all_at_once(model):
    tokens = encode("the quick brown fox")
    cache = model.new_cache()
    model.forward(tokens[:12], cache)
    for token in tokens[12:]:
        step = model.forward([token], cache)
    np.testing.assert_allclose(step, model.forward(tokens, model.new_cache()), rtol=1e-3, atol=1e-3)


def test_only_printable_text_is_possible(model):
    logits = model.forward(encode("a"), model.new_cache())
    assert np.isneginf(logits[[0, 31, 127, 255]]).all()
    assert np.isfinite(logits[32:127]).all()
