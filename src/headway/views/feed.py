"""What people must act on as an Atom feed (RFC 4287)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urljoin
from xml.etree import ElementTree as Xml

from headway.model.text import Text, clean
from headway.views.notices import Notice

_ATOM = "http://www.w3.org/2005/Atom"


def atom(
    notices: Sequence[Notice],
    since: Mapping[str, datetime],
    *,
    project: str,
    base: str,
    title: str,
    now: datetime,
    lang: str,
    translate: Callable[[Text], str],
) -> bytes:
    """An entry for each notice, the newest first. ``since`` gives when each (by key) was there first, in UTC; ``base``
    is the board's address. An entry's id stays as long as it is the same thing."""
    Xml.register_namespace("", _ATOM)
    feed = Xml.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": lang})
    newest = max((since[n.key] for n in notices), default=now)
    _add(feed, "id", urljoin(base, "/feed.atom"))
    _add(feed, "title", title)
    _add(feed, "updated", newest.isoformat())
    _add(_add(feed, "author"), "name", project or "Headway")
    Xml.SubElement(feed, f"{{{_ATOM}}}link", {"rel": "self", "href": urljoin(base, "/feed.atom")})
    Xml.SubElement(feed, f"{{{_ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": base})
    for n in sorted(notices, key=lambda n: since[n.key], reverse=True):
        entry = _add(feed, "entry")
        where = urljoin(base, f"/trains/{quote(n.train, safe='')}")
        _add(entry, "id", f"{where}#{n.key}")
        _add(entry, "title", f"{n.train}: {translate(n.text)}")
        _add(entry, "updated", since[n.key].isoformat())
        Xml.SubElement(entry, f"{{{_ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": where})
        Xml.SubElement(entry, f"{{{_ATOM}}}category", {"term": n.clause or n.code})
        _add(entry, "summary", translate(n.remedy))
    body: bytes = Xml.tostring(feed, encoding="utf-8", xml_declaration=True)
    return body


def _add(parent: Xml.Element, name: str, text: str | None = None) -> Xml.Element:
    found = Xml.SubElement(parent, f"{{{_ATOM}}}{name}")
    found.text = None if text is None else clean(text)
    return found
