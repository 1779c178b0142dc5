from toyserve.protocol import parse


def generate(engine, **body):
    pieces = list(engine.generate(parse({"prompt": "hello", **body})))
    return "".join(p.text for p in pieces), pieces[-1].finish, len(pieces)


def test_as_many_tokens_as_asked(engine):
    text, finish, count = generate(engine, max_tokens=7)
    assert (len(text), finish, count) == (7, "length", 7)


def test_the_same_prompt_gives_the_same_text(engine):
    assert generate(engine, max_tokens=12) == generate(engine, max_tokens=12)
