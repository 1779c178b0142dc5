"""E4: the benchmark set-up is reviewed; E2: what is asked for and not covered is shown. By the command itself."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from auditkit import Said
from auditkit import headway as in_repository
from gitmaker import GitMaker

SMALL = Path(__file__).parents[1] / "fixtures" / "benchmarks"
REAL = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"
SCOUT = "meta-llama/Llama-4-Scout-17B-16E-Instruct"
LLAMA = "meta-llama/Meta-Llama-3.1-8B-Instruct"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A repository without a policy: the preset's coverage is asked for."""
    made = GitMaker(tmp_path / "project")
    made.commit("Begin", {"a.py": "a = 1\n"})
    return tmp_path / "project"


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """A copy of the small configurations that a test may change."""
    return Path(shutil.copytree(SMALL, tmp_path / "configs"))


def matrix(at: Path, *args: str | Path) -> Said:
    return in_repository("perf", "matrix", "--json", *args, at=at)


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))


def errors(said: Said) -> list[str]:
    assert said.status == 2, said.out
    assert said.error["code"] == "perf.configuration"
    assert said.error["clause"] == "E4"
    found: list[str] = said.error["facts"]["errors"]
    return found


def cell(found: dict[str, Any], runner: str) -> dict[str, Any]:
    return dict(next(c for c in found["cells"] if c["runner"] == runner))


def test_e4_cells_are_models_on_runners_with_the_tests_of_all_four_types(at: Path) -> None:
    found = matrix(at, "--configs", SMALL).document
    assert [(c["platform"], c["runner"], c["hardware"], c["model"]) for c in found["cells"]] == [
        ("cuda", "small-h100", "H100", LLAMA),
        ("cuda", "big-h100-4", "H100", MIXTRAL),
        ("cuda", "lab-b200", "B200", SCOUT),
        ("rocm", "amd.gfx942.2", "MI300x", MIXTRAL),
    ]
    assert cell(found, "small-h100")["tests"] == [
        "latency_llama8B_tp1",
        "serving_llama8B_tp1_sharegpt",
        "serving_llama8B_tp2_random_1024_128",
        "startup_llama8B_tp1",
        "throughput_llama8B_tp1",
    ]


def test_e4_a_serving_test_has_a_point_for_each_rate_and_each_concurrency(at: Path) -> None:
    points = cell(matrix(at, "--configs", SMALL).document, "small-h100")["points"]
    seen = [(p["qps"], p["max_concurrency"]) for p in points if p["test"] == "serving_llama8B_tp1_sharegpt"]
    assert seen == [(1, 16), (1, 32), (4, 16), (4, 32), ("inf", 16), ("inf", 32)]
    latency = next(p for p in points if p["type"] == "latency")
    assert (latency["qps"], latency["max_concurrency"]) == (None, None)


def test_e4_each_test_that_is_never_selected_says_why(at: Path) -> None:
    found = matrix(at, "--configs", SMALL).document
    whys = {(u["platform"], u["test"]): u["why"] for u in found["unreachable"]}
    assert whys == {
        ("cpu", "serving_llama8B_tp4_random_128_128"): "cpu has no runner for size 4, which "
        "serving_llama8B_tp4_random_128_128 fixes for meta-llama/Llama-3.1-8B-Instruct",
        ("cuda", "startup_llama70B_tp4"): "meta-llama/Meta-Llama-3.1-70B-Instruct is in no serving file of cuda, "
        "and models are taken from those alone",
        ("rocm", "latency_llama4_scout_tp8"): f"{SCOUT} is left out on every rocm runner for size 8, by these "
        "words: amd.gfx942.8: 'amd.gfx942'",
        ("rocm", "serving_llama4_scout_tp8_sharegpt"): f"{SCOUT} is left out on every rocm runner for size 8, by these "
        "words: amd.gfx942.8: 'amd.gfx942'",
    }
    assert found["configured"] == 13


def test_e2_what_is_asked_for_and_not_covered_is_spelled_as_the_policy_does(at: Path) -> None:
    said = matrix(at, "--configs", SMALL)
    pairs = [(u["model"], u["hardware"]) for u in said.document["uncovered"]]
    assert pairs == [("Llama3", "MI300x"), ("Llama4", "H100"), ("Llama4", "MI300x")]
    assert said.status == 1
    assert said.document["uncovered"][1]["elsewhere"] == ["B200"]


@pytest.mark.parametrize("head", ["", "[perf]\n"])
def test_e2_the_coverage_may_be_a_table_of_ones_own(at: Path, tmp_path: Path, head: str) -> None:
    wanted = tmp_path / "require.toml"
    wanted.write_text(f'{head}models = ["llama-3", "Gemma3"]\nhardware = ["h100", "Trainium"]\n')
    found = matrix(at, "--configs", SMALL, "--require", wanted).document
    pairs = [(u["model"], u["hardware"]) for u in found["uncovered"]]
    assert pairs == [("llama-3", "Trainium"), ("Gemma3", "h100"), ("Gemma3", "Trainium")]
    assert "no configured model is of the family Gemma3" in found["notes"]
    assert "no runner of runner-rules.json is called Trainium" in found["notes"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('models = ["Llama3"]\nhardwares = ["H100"]\n', ":2: hardwares: is not a known key"),
        ('models = "Llama3"\n', ":1: models: is not a list of words"),
        ('[perf]\nmodel = ["Llama3"]\n', ":2: perf.model: is not a known key; did you mean perf.models?"),
        ("models = [\n", "not TOML"),
    ],
)
def test_e2_a_coverage_that_cannot_be_read_names_its_line(at: Path, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "require.toml").write_text(text)
    said = matrix(at, "--configs", SMALL, "--require", tmp_path / "require.toml")
    assert said.status == 2
    assert told in "\n".join(said.error["facts"]["errors"])


def test_e2_the_projects_own_policy_is_asked_where_it_has_one(at: Path) -> None:
    (at / "release.toml").write_text('schema = 1\n[perf]\nmodels = ["Mixtral"]\n')
    found = matrix(at, "--configs", SMALL).document
    assert found["required"] == {"models": ["Mixtral"], "hardware": ["H100", "MI300x"]}
    assert found["uncovered"] == []


def test_e4_no_repository_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    from headway.cli.main import main

    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setattr("sys.argv", ["headway", "perf", "matrix", "--configs", str(SMALL), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert json.loads(capfd.readouterr().out)["required"]["models"] == ["Llama3", "Llama4", "Mixtral"]


def test_e4_a_name_that_contradicts_its_parameters_is_suspicious(at: Path, tmp_path: Path) -> None:
    (tmp_path / "require.toml").write_text('models = ["Mixtral"]\nhardware = ["H100"]\n')
    said = matrix(at, "--configs", SMALL, "--require", tmp_path / "require.toml")
    assert [(s["platform"], s["test"], s["why"]) for s in said.document["suspicious"]] == [
        (
            "cuda",
            "serving_llama8B_tp2_random_1024_128",
            "asks for 2 devices, and runs on small-h100, which is listed for 1 at most",
        ),
        (
            "cuda",
            "serving_llama4_scout_random_in10k_out500",
            "the name says in10k, and random_input_len is 1024",
        ),
    ]
    assert said.status == 3  # all is covered, and a person must look


def test_e4_covered_and_nothing_suspicious_is_a_yes(at: Path, tmp_path: Path, configs: Path) -> None:
    edited(configs / "cuda/serving-tests.json", '"random_input_len": 1024', '"random_input_len": 10240')
    edited(
        configs / "cuda/serving-tests.json",
        '"model": "meta-llama/Meta-Llama-3.1-8B-Instruct", "tensor_parallel_size": 2',
        '"model": "meta-llama/Meta-Llama-3.1-8B-Instruct", "tensor_parallel_size": 1',
    )
    edited(configs / "cuda/serving-tests.json", "llama8B_tp2_random", "llama8B_tp1_random")
    (tmp_path / "require.toml").write_text('models = ["Mixtral", "Llama3"]\nhardware = ["H100"]\n')
    said = matrix(at, "--configs", configs, "--require", tmp_path / "require.toml")
    assert said.document["suspicious"] == []
    assert said.document["unreachable"]  # shown, and no reason for a no: rules skip on purpose
    assert said.status == 0


def test_e4_two_cells_of_one_identity_are_told(at: Path, configs: Path) -> None:
    edited(configs / "cuda/latency-tests.json", '"latency_mixtral8x7B_tp2"', '"latency_llama8B_tp1"')
    found = matrix(at, "--configs", configs).document
    whys = [s["why"] for s in found["suspicious"] if s["test"] == "latency_llama8B_tp1"]
    assert "has the name of the test at cuda/latency-tests.json:2: two cells, one identity" in whys


def test_e4_every_unknown_key_is_an_error_with_file_line_test_and_key_all_at_once(at: Path, configs: Path) -> None:
    edited(configs / "cuda/latency-tests.json", '"num-iters": 15\n', '"num_itters": 15\n')
    edited(configs / "cuda/latency-tests.json", '"environment_variables"', '"enviroment_variables"')
    edited(configs / "cuda/startup-tests.json", '70B-Instruct", "tensor_parallel', '70B-Instruct", "tensor_paralel')
    edited(configs / "rocm/latency-tests.json", '"num_iters": 15', '"num_prompts": 15')
    edited(configs / "cpu/serving-tests-cpu.json", '"random-input-len"', '"random-imput-len"')
    edited(configs / "runner-rules.json", '"skips_by_model"', '"skip_by_model"')
    assert errors(matrix(at, "--configs", configs)) == [
        "cpu/serving-tests-cpu.json:10: serving_llama8B_tp4_random_128_128: client_parameters.random-imput-len: "
        "is not a known argument of the client; did you mean random_input_len?",
        "cuda/latency-tests.json:4: latency_llama8B_tp1: enviroment_variables: is not a known key; "
        "did you mean environment_variables?",
        "cuda/latency-tests.json:10: latency_llama8B_tp1: parameters.num_itters: is not a known argument of "
        "`vllm bench latency`; did you mean num_iters?",
        "cuda/startup-tests.json:8: startup_llama70B_tp4: parameters.tensor_paralel_size: is not a known argument of "
        "`vllm bench startup`; did you mean tensor_parallel_size?",
        "rocm/latency-tests.json:4: latency_llama4_scout_tp8: parameters.num_prompts: is not a known argument of "
        "`vllm bench latency`",
        "runner-rules.json:15: skip_by_model: is not a known key; did you mean skips_by_model?",
    ]


def test_e4_an_engine_argument_that_headway_does_not_know_yet_can_be_named(at: Path, configs: Path) -> None:
    edited(configs / "rocm/latency-tests.json", '"num_iters": 15', '"warp-drive": 9')
    assert "warp-drive" in errors(matrix(at, "--configs", configs))[0]
    assert matrix(at, "--configs", configs, "--known", "--warp-drive").status == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"num_prompts": 32', '"goodput": "ttft:200 tpto:50"', "client_parameters.goodput: 'tpto' is not a metric"),
        ('"num_prompts": 32', '"percentile_metrics": "ttft,itll"', "'itll' is not a metric"),
        ('"num_prompts": 32', '"metric_percentiles": "50,p99"', "'p99' is not a percentile"),
        ("[1]", "[0]", "qps_list[0]: is neither a number of requests a second above 0"),
        ("[1]", '["fast"]', "qps_list[0]: is neither a number of requests a second above 0"),
        ("[1]", "[NaN]", "is not JSON: NaN is not a number of JSON"),
        ("[1]", "[]", "qps_list: "),
        ('"tensor_parallel_size": 4', '"tensor_parallel_size": "4"', "'4' is not a number of devices"),
        ('"tensor_parallel_size": 4', '"tensor_parallel_size": 4, "tensor-parallel-size": 4', "is the same as"),
        ('"tensor_parallel_size": 4', '"tensor_parallel_size": 4, "dtype": 1', "dtype is there twice in one object"),
        ('"server_parameters"', '"common_parameters": {"model": "m"}, "server_parameters"', "needs exactly one of"),
        ('"server_parameters"', '"parameterss"', "parameterss: is not a known key; did you mean parameters?"),
        ('"test_name": "serving_llama8B_tp4_random_128_128"', '"test_name": "a\\u202eb"', "cannot be shown"),
        (
            '"test_name": "serving_llama8B_tp4_random_128_128"',
            '"test_name": "a\\ud800"',
            ".json:3: holds half of a character",
        ),
        ('"model": "meta-llama/Llama-3.1-8B-Instruct", "tensor', '"tensor', "server_parameters.model: is missing"),
    ],
)
def test_e4_what_is_wrong_in_an_entry_is_told_with_its_place(
    at: Path, configs: Path, old: str, new: str, told: str
) -> None:
    file = configs / "cpu/serving-tests-cpu.json"
    edited(file, old, new)
    found = errors(matrix(at, "--configs", configs))
    assert any(told in e for e in found), found
    assert all(e.startswith("cpu/serving-tests-cpu.json") for e in found)
    assert all(e.isprintable() for e in found)


@pytest.mark.parametrize("text", [b"", b"[", b"{}", b"\xff\xfe", b"[" * 200_000, b"[1, null]", b'"a"', b'[{"a": 1}, '])
def test_e4_a_damaged_file_is_told_and_the_others_are_read(at: Path, configs: Path, text: bytes) -> None:
    (configs / "cpu/serving-tests-cpu.json").write_bytes(text)
    edited(configs / "rocm/latency-tests.json", '"num_iters": 15', '"nonsense": 1')
    found = errors(matrix(at, "--configs", configs))
    assert found[0].startswith("cpu/serving-tests-cpu.json")
    assert found[-1].startswith("rocm/latency-tests.json:4: latency_llama4_scout_tp8: parameters.nonsense")


def test_e4_without_rules_it_says_what_is_assumed_and_guesses_no_hardware(at: Path, configs: Path) -> None:
    (configs / "runner-rules.json").unlink()
    said = matrix(at, "--configs", configs)
    assert {(c["platform"], c["runner"], c["hardware"]) for c in said.document["cells"]} == {
        (p, p, None) for p in ("cpu", "cuda", "rocm")
    }
    assert [u["test"] for u in said.document["unreachable"]] == ["startup_llama70B_tp4"]
    assert said.document["rules"] is None
    assert "there is no runner-rules.json: assumed is one runner for each platform" in said.document["notes"][0]
    assert len(said.document["uncovered"]) == 6
    assert said.status == 3  # each family runs somewhere; a person must say what that is


def test_e4_a_runner_of_unknown_hardware_covers_nothing_for_sure(at: Path, configs: Path, tmp_path: Path) -> None:
    edited(configs / "runner-rules.json", '"h100": "H100", ', "")
    (tmp_path / "require.toml").write_text('models = ["Mixtral"]\nhardware = ["H100", "MI300x"]\n')
    said = matrix(at, "--configs", configs, "--require", tmp_path / "require.toml")
    assert [(u["model"], u["hardware"], u["unknown_hardware"]) for u in said.document["uncovered"]] == [
        ("Mixtral", "H100", True)
    ]
    assert "runner-rules.json does not say what hardware big-h100-4 is" in said.document["notes"]
    assert said.status == 3


def test_e4_runners_that_nothing_can_run_on_are_noted(at: Path, configs: Path) -> None:
    edited(configs / "runner-rules.json", '"huge-h100-8", ', '"huge-h100-8", "lost-h100", ')
    edited(configs / "runner-rules.json", '"metal.spr": "cpu"', '"metal.spr": "cpu", "old-a100": "cuda"')
    assert matrix(at, "--configs", configs).document["notes"] == [
        "lost-h100 has no platform in runner-rules.json, so nothing runs on it",
        "old-a100 is listed for no size in runner-rules.json, so nothing runs on it",
    ]


def test_e4_names_cannot_command_a_terminal(at: Path, configs: Path) -> None:
    edited(configs / "runner-rules.json", '"small-h100", "amd', '"small-\\u001b[31m\\u202eh100", "amd')
    edited(configs / "runner-rules.json", '"small-h100": "cuda"', '"small-\\u001b[31m\\u202eh100": "cuda"')
    said = in_repository("perf", "matrix", "--configs", configs, at=at)
    assert said.status == 1
    assert all(line.isprintable() for line in said.out.splitlines())


@pytest.mark.parametrize("folder", ["nowhere", "configs/cuda", "project"])
def test_e4_a_folder_without_configurations_is_told(at: Path, configs: Path, folder: str) -> None:
    said = matrix(at, "--configs", configs.parent / folder)
    assert said.status == 2
    assert said.error["code"] == "perf.no-configuration"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_e4_a_person_reads_it_in_eighty_columns(at: Path, lang: str) -> None:
    said = in_repository("perf", "matrix", "--configs", SMALL, "--lang", lang, at=at)
    assert said.status == 1
    for word in ("lab-b200", "Llama4 × H100", "cuda/serving-tests.json:35", "latency_llama4_scout_tp8"):
        assert word in said.out


@pytest.mark.skipif(not REAL.is_dir(), reason="the public configurations are not on this machine")
def test_e4_the_public_configurations_give_the_known_figures(at: Path) -> None:
    """Of 143 configured tests 33 can never be selected; Llama 4 runs on neither H100 nor MI300x."""
    found = matrix(at, "--configs", REAL).document
    assert (found["configured"], len(found["unreachable"])) == (143, 33)
    assert Counter(u["platform"] for u in found["unreachable"]) == {"rocm": 23, "hpu": 7, "cuda": 3}
    assert all(u["test"].startswith("startup_") for u in found["unreachable"] if u["platform"] == "cuda")
    assert sum(c["platform"] == "rocm" for c in found["cells"]) == 3
    assert not any("Llama-4" in c["model"] and c["hardware"] in ("H100", "MI300x") for c in found["cells"])
    assert [(u["model"], u["hardware"]) for u in found["uncovered"]] == [
        ("Llama3", "H100"),
        ("Llama3", "MI300x"),
        ("Llama4", "H100"),
        ("Llama4", "MI300x"),
    ]
    assert [(s["platform"], s["test"], s["why"]) for s in found["suspicious"]] == [
        (
            "cuda",
            "serving_llama4_scout_tp4_random_in10k_out500",
            "the name says in10k, and random_input_len is 1024",
        ),
        ("hpu", "serving_qwen3_8b", "the model is spelled Qwen/Qwen-3-8B, and elsewhere Qwen/Qwen3-8B"),
        ("hpu", "throughput_qwen3_8b", "the model is spelled Qwen/Qwen-3-8B, and elsewhere Qwen/Qwen3-8B"),
        (
            "rocm",
            "serving_llama4_scout_tp4_random_in10k_out500",
            "the name says in10k, and random_input_len is 1024",
        ),
    ]
