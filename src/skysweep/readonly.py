"""Does this Cypher only read? Decided on its tokens, because ArcadeDB's read mode does not stop a write.

The check errs on the side of no: it knows where strings, comments and quoted names end, refuses what two parsers could
read differently (unicode escapes, bare carriage returns, letters beyond ASCII outside quotes), and then looks for words
that write. Neo4j's read transactions stand behind it; on the embedded graph it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

FIRST = frozenset({"MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL", "SHOW"})
ASKING = frozenset({"EXPLAIN", "PROFILE"})
WRITING = frozenset(
    [
        "CREATE",
        "INSERT",
        "MERGE",
        "SET",
        "DELETE",
        "DETACH",
        "NODETACH",
        "REMOVE",
        "DROP",
        "FOREACH",
        "LOAD",
        "ALTER",
        "GRANT",
        "DENY",
        "REVOKE",
        "RENAME",
        "TERMINATE",
        "ENABLE",
        "DEALLOCATE",
        "REALLOCATE",
    ]
)
PROCEDURES = re.compile(
    r"(db\.(labels|relationshiptypes|propertykeys|ping|info|index\.fulltext\.query(nodes|relationships))"
    r"|db\.schema\.(visualization|nodetypeproperties|reltypeproperties)|dbms\.components)\Z",
    re.IGNORECASE,
)

_TOKEN = re.compile(
    r"""(?P<space>[\x00-\x20]+|//[^\n]*|/\*.*?\*/)
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<quoted>`(?:[^`]|``)*`)
      | (?P<number>\d[A-Za-z0-9_]*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<open>['"`]|/\*)
      | (?P<sign>[\x21-\x7e])
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of Cypher: its kind (text, quoted, number, word, open, sign, strange) and what stands there."""

    kind: str
    text: str


def why_not(query: str) -> str | None:
    """Why `query` is refused, as the end of a sentence; None where it only reads."""
    if re.search(r"\\+u", query):
        return "it holds a unicode escape; write the character itself"
    if re.search(r"\r(?!\n)", query):
        return "it holds a bare carriage return"
    tokens = list(_tokens(query.rstrip().rstrip(";")))
    if not tokens:
        return "it is empty"
    return _strange(tokens) or _beginning(tokens) or _writing(tokens) or _calling(tokens)


def _tokens(query: str) -> Iterator[Token]:
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            yield Token("strange", query[position])
            position += 1
            continue
        if match.lastgroup != "space":
            yield Token(match.lastgroup or "", match.group())
        position = match.end()


def _strange(tokens: list[Token]) -> str | None:
    for token in tokens:
        if token.kind == "open":
            return f"what {token.text} opens is never closed"
        if token.kind == "strange":
            return f"{token.text!r} stands outside quotes; put names with such letters in backticks"
        if token.text == ";":
            return "it is more than one statement"
    return None


def _beginning(tokens: list[Token]) -> str | None:
    words = [token.text.upper() for token in tokens[:2]]
    first = words[-1] if words[0] in ASKING else words[0]
    return None if first in FIRST else f"a question does not begin with {first}"


def _writing(tokens: list[Token]) -> str | None:
    """The first word that writes, where it can be a clause: not a property, label, parameter or key of a map."""
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text.upper() not in WRITING or _is_name(tokens, index):
            continue
        return f"{token.text.upper()} writes"
    return None


def _is_name(tokens: list[Token], index: int) -> bool:
    before = tokens[index - 1].text if index else ""
    if before == ".":  # `1.SET` may be a number and a clause
        return index > 1 and (tokens[index - 2].kind in ("word", "quoted") or tokens[index - 2].text in ")]}")
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    return before in (":", "$") or after == ":"


def _calling(tokens: list[Token]) -> str | None:
    """The first procedure called that is not known to read only."""
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text.upper() != "CALL" or _is_name(tokens, index):
            continue
        name = _procedure(tokens[index + 1 :])
        if name and not PROCEDURES.match(name):
            return f"CALL {name} may write"
    return None


def _procedure(tokens: list[Token]) -> str:
    """The dotted name that the tokens begin with; empty where a subquery follows."""
    name = ""
    for token in tokens:
        if token.kind not in ("word", "quoted") and token.text != ".":
            break
        if token.kind == "word" and name and not name.endswith("."):
            break
        name += token.text
    return name
