"""Entries that cannot mean what they say: a name that contradicts its parameters, one name twice, two spellings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from headway.model.text import Text, say
from headway.perf.configfiles import ConfiguredTest
from headway.perf.matrix import MatrixCell
from headway.perf.runnerrules import RunnerRules

# Words of a name that claim something of the model, when one stands there.
_FAMILIES = tuple(
    rf"(?<![a-z]){word}(?:[-_]?([vr]?\d{{1,2}}(?:[._]\d{{1,2}})?)(?!\d)(?!\d*[bmxk]))?(?![a-z])"
    for word in (
        *("llama", "mixtral", "mistral", "qwen", "gemma", "deepseek", "phi", "falcon", "granite", "gpt[-_]?oss"),
        r"opt(?=[-_]?\d)",  # by itself it is any option or optimization
    )
)
_VARIANTS = ("scout", "maverick", "coder", "vl")
_QUANTIZED = ("fp8", "fp4", "mxfp4", "nvfp4", "int8", "int4", "awq", "gptq", "torchao", "bitsandbytes")
_DATASETS = ("sharegpt", "random", "sonnet", "burstgpt", "spec_bench")
_SIZE = re.compile(r"(?<![\d.])(?:(\d+)_)?(\d+(?:\.\d+)?(?:x\d+)?[bm])(?![a-z])")
_NEAR = 0.05  # a length of 5250 is still "5k"


@dataclass(frozen=True, slots=True)
class Suspicious:
    """What the entry says, and what it is."""

    test: ConfiguredTest
    why: Text


def suspicious(
    tests: Iterable[ConfiguredTest], cells: Iterable[MatrixCell], rules: RunnerRules
) -> tuple[Suspicious, ...]:
    """All of them, in the order of the tests."""
    rows = tuple(tests)
    found = [Suspicious(test, why) for test in rows for check in _CHECKS for why in check(test)]
    found += [*_twice(rows), *_spellings(rows, rules), *_too_large(cells, rules)]
    order = {id(test): i for i, test in enumerate(rows)}
    return tuple(sorted(found, key=lambda s: order[id(s.test)]))


def _kind(test: ConfiguredTest) -> Iterator[Text]:
    said = test.name.partition("_")[0].casefold()
    if said in {"latency", "throughput", "serving", "startup"} and said != test.kind:
        yield say("the name says {said}, and it is a {kind} test", said=said, kind=test.kind)


def _models(test: ConfiguredTest) -> Iterator[Text]:
    client = dict(test.client).get("model")
    if client is not None and client.casefold() != test.model.casefold():
        yield say("the server serves {model}, and the client asks for {client}", model=test.model, client=client)


def _model_words(test: ConfiguredTest) -> Iterator[Text]:
    """Family with version, variant and sizes that the name gives are those of the model's id."""
    name, model = test.name.casefold(), _bare(test.model)
    for pattern in _FAMILIES:
        found = re.search(pattern, name)
        if found and _bare(found.group()) not in model:
            yield _says(found.group(), test.model)
    for word in _VARIANTS:
        if re.search(rf"(?<![a-z]){word}(?![a-z])", name) and word not in model:
            yield _says(word, test.model)
    sizes = {size for _, size in _SIZE.findall(test.model.casefold().replace("_", "-"))}
    for before, size in _SIZE.findall(name) if sizes else ():
        if not {size, f"{before}.{size}"} & sizes:  # 0_5b is 0.5b, and qwen3_8b is 8b
            yield _says(size, test.model)


def _says(word: str, model: str) -> Text:
    return say("the name says {word}, and the model is {model}", word=word, model=model)


def _quantization(test: ConfiguredTest) -> Iterator[Text]:
    values = " ".join([test.model, *(str(v) for k, v in test.engine if k != "model")]).casefold()
    for word in _QUANTIZED:
        if re.search(rf"(?<![a-z0-9]){word}(?![a-z0-9])", test.name.casefold()) and word not in values:
            yield say("the name says {word}, and neither the model nor an argument does", word=word)


def _parallel(test: ConfiguredTest) -> Iterator[Text]:
    for text in re.findall(r"(?<![a-z0-9])tp_?(\d+)(?!\d)", test.name.casefold()):
        if test.size is None and int(text) != 1:
            yield say("the name says tp{n}, and tensor_parallel_size is not set (the engine's default is 1)", n=text)
        elif test.size not in (None, int(text)):
            yield say("the name says tp{n}, and tensor_parallel_size is {size}", n=text, size=test.size)
    if test.kebab_size and test.kind == "serving":
        yield say("tensor-parallel-size is written with dashes, which the workflow's generator takes for not set")


def _dataset(test: ConfiguredTest) -> Iterator[Text]:
    given = test.arguments
    used = str(given.get("dataset_name", "")).casefold()
    path = f"{given.get('dataset_path', '')} {given.get('dataset', '')}".casefold()
    if not used and not path.strip():
        return
    for word in _DATASETS:
        named = re.search(rf"(?<![a-z]){word}(?![a-z])", test.name.casefold())
        if named and word not in (used or path):
            yield say("the name says {word}, and the dataset is {used}", word=word, used=used or path.strip())


def _lengths(test: ConfiguredTest) -> Iterator[Text]:
    name = test.name.casefold()
    pair = re.search(r"(?<![a-z])random_(\d+)_(\d+)(?![\dkm])", name)
    for side, word, keys in (
        (0, "in", ("random_input_len", "sonnet_input_len", "input_len")),
        (1, "out", ("random_output_len", "sonnet_output_len", "sharegpt_output_len", "hf_output_len", "output_len")),
    ):
        found = re.search(rf"(?<![a-z]){word}(?:put)?_?(\d+)(k?)(?![a-z0-9])", name)
        said, unit = (found[1], found[2]) if found else (pair[side + 1], "") if pair else ("", "")
        if not said:
            continue
        key, length = next(((k, v) for k, v in test.arguments.items() if k in keys), ("", None))
        shown = f"{word}{said}{unit}"
        if not key:
            yield say("the name says {shown}, and no {keys} is set", shown=shown, keys=keys[0])
        elif not _is_length(length, int(said), unit):
            yield say("the name says {shown}, and {key} is {length}", shown=shown, key=key, length=length)


def _is_length(length: Any, said: int, unit: str) -> bool:
    """Exactly the number; with ``k``, about a thousand or 1,024 of them."""
    if isinstance(length, bool) or not isinstance(length, int):
        return False
    if not unit:
        return length == said
    return said * 1000 * (1 - _NEAR) <= length <= said * 1024 * (1 + _NEAR)


def _load(test: ConfiguredTest) -> Iterator[Text]:
    for label, word, values in (
        ("qps_list", "qps", test.rates),
        ("max_concurrency_list", "(?:max_?)?conc(?:urrency)?", test.concurrency),
    ):
        for said in re.findall(rf"(?<![a-z]){word}_?(\d+|inf)(?![a-z0-9])", test.name.casefold()):
            if values and said not in {str(v) for v in values}:
                listed = [str(v) for v in values]
                yield say("the name says {said}, and {label} is {listed}", said=said, label=label, listed=listed)


def _room(test: ConfiguredTest) -> Iterator[Text]:
    """Requests of these lengths fit into the model's context as it is set."""
    given = test.arguments
    limit, into, out = (
        next((v for k in keys if isinstance(v := given.get(k), int) and not isinstance(v, bool)), None)
        for keys in (("max_model_len",), ("random_input_len", "input_len"), ("random_output_len", "output_len"))
    )
    if limit is not None and into is not None and out is not None and into + out > limit:
        yield say(
            "requests of {into} + {out} tokens do not fit into max_model_len {limit}", into=into, out=out, limit=limit
        )


_CHECKS: tuple[Callable[[ConfiguredTest], Iterator[Text]], ...] = (
    _kind,
    _models,
    _model_words,
    _quantization,
    _parallel,
    _dataset,
    _lengths,
    _load,
    _room,
)


def _twice(tests: tuple[ConfiguredTest, ...]) -> Iterator[Suspicious]:
    """Two tests of one name on one platform are one cell with two meanings: the results of one are lost."""
    seen: dict[tuple[str, str], ConfiguredTest] = {}
    for test in tests:
        first = seen.setdefault((test.platform, test.name), test)
        if first is not test:
            where = f"{first.file}:{first.line}"
            yield Suspicious(test, say("has the name of the test at {where}: two cells, one identity", where=where))


def _spellings(tests: tuple[ConfiguredTest, ...], rules: RunnerRules) -> Iterator[Suspicious]:
    """A model's id differs from another's in its punctuation only, so that rules and sizes miss it. The right one is
    that of a rule, else the one most used."""
    used = Counter(t.model for t in tests)
    best = {_bare(model): model for model, _ in reversed(used.most_common())}
    best |= {_bare(model): model for model in rules.skips_by_model}
    for test in tests:
        other = best[_bare(test.model)]
        if other.casefold() != test.model.casefold():
            yield Suspicious(
                test, say("the model is spelled {model}, and elsewhere {other}", model=test.model, other=other)
            )


def _too_large(cells: Iterable[MatrixCell], rules: RunnerRules) -> Iterator[Suspicious]:
    """A test that runs on a runner which is listed for smaller sizes only: its own size filters nothing."""
    seen: set[tuple[int, int]] = set()
    for cell in cells:
        largest = max(rules.sizes(cell.runner))
        for test in cell.tests:
            if (test.size or 1) > largest and (id(test), largest) not in seen:
                seen.add((id(test), largest))
                why = say(
                    "asks for {size} devices, and runs on {runner}, which is listed for {largest} at most",
                    size=test.size,
                    runner=cell.runner,
                    largest=largest,
                )
                yield Suspicious(test, why)


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())
