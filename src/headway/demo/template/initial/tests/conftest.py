import json
import threading
import urllib.error
import urllib.request

import pytest

from toyserve.config import ModelConfig
from toyserve.engine import Engine
from toyserve.model import Transformer
from toyserve.server import Server


@pytest.fixture(scope="session")
def model():
    return Transformer(ModelConfig("test", layers=2, width=32, heads=2, hidden=64, context=128))


@pytest.fixture(scope="session")
def engine(model):
    return Engine(model)


@pytest.fixture(scope="session")
def url(engine):
    server = Server(engine, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def ask(url):
    """Send a request: ``ask(path, body)`` gives the status and the text of the answer."""

    def send(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url + path, data), timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    return send
