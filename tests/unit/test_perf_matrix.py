"""Parts of the review of a benchmark set-up: families, names against parameters, places in JSON, arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.perf.arguments import is_known, known_arguments, snake
from headway.perf.configfiles import ConfiguredTest
from headway.perf.coverage import is_hardware, is_of_family
from headway.perf.jsonplaces import places
from headway.perf.matrix import select
from headway.perf.runnerrules import RunnerRules
from headway.perf.suspicious import suspicious

RULES = RunnerRules.model_validate(
    {
        "runners_by_tensor_parallel_size": {"1": ["one"], "2": ["two", "lost"], "8": ["eight"]},
        "platform_by_runner": {"one": "cuda", "two": "cuda", "eight": "cuda"},
        "skips_by_model": {"Org/Big": ["igh"]},
    }
)


def made(name: str, model: str, /, kind: Any = "serving", size: int | None = 1, **more: Any) -> ConfiguredTest:
    return ConfiguredTest("cuda", kind, name, "cuda/f.json", 1, model, size, (("model", model),), **more)


def whys(*tests: ConfiguredTest, rules: RunnerRules = RULES) -> list[str]:
    return [str(s.why) for s in suspicious(tests, select(tests, rules).cells, rules)]


@pytest.mark.parametrize(
    ("model", "family", "belongs"),
    [
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "Llama3", True),
        ("meta-llama/Meta-Llama-3-8B", "Llama3", True),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama3", True),
        ("nvidia/Llama3_70B", "Llama3", True),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "Llama4", True),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "Llama3", False),
        ("huggyllama/llama-30b", "Llama3", False),
        ("meta-llama/Llama-2-3b", "Llama3", False),
        ("someone/Llama-3B", "Llama3", False),
        ("codellama/CodeLlama3-7b", "Llama3", False),
        ("Llama3/Qwen2-7B", "Llama3", False),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral", True),
        ("mistralai/Mistral-7B", "Mixtral", False),
        ("Qwen/Qwen3-30B-A3B", "Qwen3", True),
        ("deepseek-ai/DeepSeek-R1", "DeepSeek R1", True),
        ("a/b", "×", False),
    ],
)
def test_a_model_belongs_to_a_family_by_its_words_and_numbers(model: str, family: str, belongs: bool) -> None:
    assert is_of_family(model, family) is belongs


def test_hardware_is_the_same_in_any_case() -> None:
    assert is_hardware("MI300x", "mi-300X")
    assert not is_hardware("MI300x", "MI300")
    assert not is_hardware(None, "H100")


@pytest.mark.parametrize(
    ("tests", "runners"),
    [
        ([made("a", "Org/Small", size=1), made("b", "Org/Small", size=8)], ["one"]),
        ([made("b", "Org/Small", size=8), made("a", "Org/Small", size=1)], ["eight"]),
        ([made("a", "Org/Small", size=None)], ["eight"]),
        ([made("a", "org/small", size=2), made("b", "Org/SMALL", "latency", size=4)], ["two"]),
        ([made("a", "Org/Small", "latency", size=1)], []),
        ([made("a", "org/BIG", size=8)], []),
        ([made("a", "Org/Small", size=4)], []),
    ],
)
def test_the_first_serving_entry_fixes_the_size_and_a_skip_word_is_a_part_of_the_name(
    tests: list[ConfiguredTest], runners: list[str]
) -> None:
    found = select(tests, RULES)
    assert [c.runner for c in found.cells] == runners
    assert all(c.tests == tuple(tests) for c in found.cells)
    assert len(found.unreachable) == (0 if runners else len(tests))


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (made("serving_llama8B_tp1", "meta-llama/Meta-Llama-3.1-8B-Instruct"), None),
        (made("serving_llama3_8B_tp1", "meta-llama/Meta-Llama-3.1-8B-Instruct"), None),
        (made("serving_llama4_8B", "meta-llama/Meta-Llama-3.1-8B"), "says llama4, and the model is"),
        (made("serving_llama70B", "meta-llama/Meta-Llama-3.1-8B"), "says 70b, and the model is"),
        (made("serving_qwen3_8b", "meta-llama/Meta-Llama-3.1-8B"), "says qwen3, and the model is"),
        (made("serving_qwen2_0_5b", "Qwen/Qwen2-0.5B"), None),
        (made("serving_gemma_3_27b_it", "google/gemma-3-27b-it"), None),
        (made("serving_gemma_3_4b_it", "google/gemma-3-27b-it"), "says 4b"),
        (made("serving_deepseek_v3_1", "deepseek-ai/DeepSeek-V3.2"), "says deepseek_v3_1"),
        (made("serving_llama4_scout", "meta-llama/Llama-4-Maverick-17B-128E"), "says scout"),
        (made("serving_gpt_oss_20b", "openai/gpt-oss-120b"), "says 20b"),
        (made("serving_opt125m", "facebook/opt-125m"), None),
        (made("serving_opt_flags_llama8B", "meta-llama/Meta-Llama-3.1-8B"), None),
        (made("serving_llama_1024_128", "meta-llama/Meta-Llama-3.1-8B"), None),
        (made("serving_x_fp8", "org/x"), "says fp8, and neither the model nor an argument does"),
        (made("serving_x_fp8", "org/x-FP8"), None),
        (made("serving_x_tp4", "org/x"), "says tp4, and tensor_parallel_size is 1"),
        (made("serving_x_tp8", "org/x", size=None), "says tp8, and tensor_parallel_size is not set"),
        (made("serving_x", "org/x", kebab_size=True), "written with dashes"),
        (made("latency_x", "org/x"), "says latency, and it is a serving test"),
        (made("serving_x_qps4", "org/x", rates=(1, "inf")), "says 4, and qps_list is 1, inf"),
        (made("serving_x_qps4_conc32", "org/x", rates=(4,), concurrency=(32,)), None),
        (made("serving_x", "org/x", client=(("model", "org/y"),)), "serves org/x, and the client asks for org/y"),
        (made("serving_x_sharegpt", "org/x", client=(("dataset_name", "random"),)), "dataset is random"),
        (made("serving_x_random_128_64", "org/x", client=(("random_input_len", 128), ("random_output_len", 64))), None),
        (
            made("serving_x_random_128_64", "org/x", client=(("random_input_len", 64), ("random_output_len", 64))),
            "says in128, and random_input_len is 64",
        ),
        (made("serving_x_in5k", "org/x", client=(("random_input_len", 5250),)), None),
        (made("serving_x_in5k", "org/x", client=(("random_input_len", 5000),)), None),
        (made("serving_x_in5k", "org/x", client=(("random_input_len", 6000),)), "in5k, and random_input_len is 6000"),
        (made("serving_x_out500", "org/x"), "says out500, and no random_output_len is set"),
        (made("serving_x_in10", "org/x", client=(("random_input_len", True),)), "random_input_len is True"),
    ],
)
def test_a_name_is_held_against_what_the_parameters_say(test: ConfiguredTest, told: str | None) -> None:
    found = whys(test)
    assert (found == []) if told is None else (len(found) == 1 and told in found[0]), found


def test_lengths_that_do_not_fit_into_the_context_are_told() -> None:
    lengths = (("max_model_len", 1024), ("random_input_len", 1000), ("random_output_len", 100))
    assert whys(made("serving_x", "org/x", client=lengths)) == [
        "requests of 1000 + 100 tokens do not fit into max_model_len 1024"
    ]


def test_the_spelling_that_a_rule_has_is_the_right_one() -> None:
    tests = [made(f"serving_{i}", "org/b-ig", size=2) for i in range(3)] + [made("serving_z", "ORG/big", size=2)]
    assert set(whys(*tests)) == {"the model is spelled org/b-ig, and elsewhere Org/Big"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
)


@given(VALUES)
def test_every_value_of_a_json_text_has_its_line(value: Any) -> None:
    text = json.dumps(value, indent=1)
    found = places(text)
    assert not found.twice

    def walk(part: Any, path: tuple[str | int, ...]) -> None:
        if path and isinstance(path[-1], str):
            assert json.dumps(path[-1]) in text.split("\n")[found.lines[path] - 1]
        pairs = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, below in pairs:
            walk(below, (*path, key))

    walk(value, ())


def test_a_key_that_is_there_twice_is_found() -> None:
    found = places('[{"a": 1,\n "b": {"a": "}{"},\n "a": 2}]')
    assert found.twice == (((0, "a"), 3),)
    assert found.line((0, "b", "a")) == 2
    assert found.line((0, "b", "gone")) == 2


def test_arguments_are_known_in_either_case_negated_and_with_fields() -> None:
    known = known_arguments("serving", client=False)
    assert {snake("max-model-len"), snake("tp"), "enable_auto_tool_choice"} <= known
    assert is_known(snake("no-enable-prefix-caching"), known)
    assert is_known("compilation_config.level", known)
    assert not is_known("tensor_paralel_size", known)
    assert "num_prompts" not in known
    assert "num_iters" in known_arguments("latency", client=False)
    assert "random_input_len" in known_arguments("serving", client=True)


def test_a_policy_gates_on_metrics_with_a_direction_only(tmp_path: Path) -> None:
    """E7: asking to gate on a number that is not known to be better one way is an error with its place."""
    from headway.errors import UnusableInput
    from headway.policy.loader import load_policy

    text = """[[perf.cells]]
model = "Llama3"
hardware = "H100"
test = "a"
metrics = ["output_throughput", "median_tppt_ms"]
[[perf.noise]]
metric = "speed"
sd = 0.01
df = 5
[perf.margins]
duration = 0.1
"""
    with pytest.raises(UnusableInput) as refused:
        load_policy(text, source="release.toml")
    errors = dict(refused.value.facts)["errors"]
    assert isinstance(errors, tuple)
    assert [e.partition(" is no metric")[0] for e in errors] == [
        "release.toml:5: perf.cells[0].metrics[1]: 'median_tppt_ms'",
        "release.toml:7: perf.noise[0].metric: 'speed'",
        "release.toml:11: perf.margins.duration: 'duration'",
    ]
    assert errors[0].endswith("did you mean median_tpot_ms?")
