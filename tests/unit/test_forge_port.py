"""The port of forges is small and written down: the guide names all of it, and its skeleton has the port's shape."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from headway.model.forgeport import ForgeAdapter, WebhookReader
from headway.model.ports import Forge, Hub

GUIDE = Path(__file__).parents[2] / "docs/how-to/another-forge.md"


def methods(port: type) -> set[str]:
    return {name for name in vars(port) if not name.startswith("_")}


@pytest.mark.parametrize("port", [ForgeAdapter, Hub, Forge])
def test_every_method_of_the_port_is_in_the_guide(port: type) -> None:
    table = GUIDE.read_text("utf-8").split(f"\n| `{port.__name__}` |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)", " ".join(rows))) == methods(port)


def test_webhooks_are_in_the_guide() -> None:
    (row,) = [r for r in GUIDE.read_text("utf-8").splitlines() if r.startswith("| `webhooks`")]
    assert methods(WebhookReader) <= set(re.findall(r"`(\w+)`", row))


def test_the_skeleton_has_the_ports_shape() -> None:
    text = next(b for b in re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL) if "policy:" in b)
    (skeleton,) = [n for n in ast.parse(text).body if isinstance(n, ast.ClassDef)]
    made = {n.name: [a.arg for a in n.args.args] for n in skeleton.body if isinstance(n, ast.FunctionDef)}
    wanted = {
        n: list(inspect.signature(m.fget if isinstance(m, property) and m.fget else m).parameters)
        for n, m in vars(ForgeAdapter).items()
        if n in methods(ForgeAdapter)
    }
    assert made == wanted
