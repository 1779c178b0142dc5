"""The command: ``python -m toyserve --model toy-small --port 8000``."""

import argparse

from toyserve.config import MODELS
from toyserve.engine import Engine
from toyserve.model import Transformer
from toyserve.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="toyserve")
    parser.add_argument("--model", choices=sorted(MODELS), default="toy-small")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    args = parser.parse_args()
    engine = Engine(Transformer(MODELS[args.model]))
    serve(engine, args.host, args.port)


if __name__ == "__main__":
    main()
