from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep.readonly import WRITING, why_not

READING = [
    "MATCH (n) RETURN n",
    "match (n:`CREATE`) return n;",
    "MATCH (n) WHERE n.name = 'please DELETE me' RETURN n",
    'MATCH (n) WHERE n.name = "it\\"s SET" RETURN n',
    "MATCH (n) RETURN n.set, n.create AS made",
    "MATCH (n:Merge)-[:DELETE]->(m:Set) RETURN n",
    "MATCH (n) RETURN {set: n.x, delete: 1} AS map",
    "MATCH (n {id: $create}) RETURN n",
    "MATCH (n) // SET n.x = 1\nRETURN n",
    "MATCH (n) /* DETACH DELETE n */ RETURN n",
    "MATCH (n) WHERE n.x > 1.5 RETURN n.x1.set",
    "MATCH p = (n)--() RETURN nodes(p)[0].set, startNode(relationships(p)[0]).load",
    "CALL db.labels() YIELD label RETURN label",
    "CALL { MATCH (n) RETURN n } RETURN n",
    "MATCH (a) CALL (a) { MATCH (a)--(b) RETURN b } RETURN b",
    "MATCH (n) WHERE EXISTS { (n)-[:RESOURCE]->() } RETURN count { (n)--() }",
    "EXPLAIN MATCH (n) RETURN n",
    "PROFILE UNWIND [1, 2] AS x RETURN x",
    "SHOW INDEXES",
    "OPTIONAL MATCH (n) RETURN 'Zürich' AS `Ort ü`",
    "MATCH (n) RETURN n.`a``b SET`",
]

REFUSED = [
    ("CREATE (n)", "CREATE"),
    ("MATCH (n) SET n.x = 1", "SET writes"),
    ("MATCH (n) sEt n.x = 1", "SET writes"),
    ("MATCH (n) DETACH DELETE n", "DETACH writes"),
    ("MATCH (n)/**/DELETE/**/n", "DELETE writes"),
    ("MATCH (n) REMOVE n.x", "REMOVE writes"),
    ("MATCH (n) WITH n MERGE (m {id: n.id}) RETURN m", "MERGE writes"),
    ("MATCH (n) FOREACH (x IN [1] | SET n.x = x)", "FOREACH writes"),
    ("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", "LOAD"),
    ("MATCH (n) INSERT (:X)", "INSERT writes"),
    ("DROP CONSTRAINT x", "DROP"),
    ("MATCH (n) CALL { WITH n SET n.x = 1 } RETURN n", "SET writes"),
    ("CALL apoc.cypher.runWrite('x', {})", "apoc.cypher.runWrite may write"),
    ("CALL `db`.`labels`()", "may write"),
    ("CALL db . createLabel('X')", "db.createLabel may write"),
    ("CALL db.labels() YIELD label CALL dbms.shutdown() RETURN 1", "dbms.shutdown may write"),
    ("MATCH (n) RETURN n; MATCH (n) RETURN n", "more than one statement"),
    ("MATCH (n) \\u0053ET n.x = 1", "unicode escape"),
    ("MATCH (n) WHERE n.x = '\\u0027 SET n.x = '' RETURN n", "unicode escape"),
    ("MATCH (n) // \r SET n.x = 1", "bare carriage return"),
    ("MATCH (n) WHERE n.x > 1.SET n.x = 2", "SET writes"),
    ("MATCH (n) WHERE n.x > 1 . SET n.x = 2", "SET writes"),
    ("MATCH (n) WHERE n.x = 'a\\\\' SET n.x = '' RETURN n", "SET writes"),
    ("MATCH (n) WHERE n.x = 'a' 'b' SET n.y = 1", "SET writes"),
    ("MATCH (n) // comment\nSET n.x = 1", "SET writes"),
    ("MATCH (n) /* // */ SET n.x = 1", "SET writes"),
    ("MATCH (n) /* 'a */ SET n.x = 'b'", "SET writes"),
    ("MATCH (n) RETURN '// ' SET n.x = 1", "SET writes"),
    ("MATCH (n) \u017fET n.x = 1", "outside quotes"),
    ("MATCH (n)\u00a0RETURN n", "outside quotes"),
    ("MATCH (n) RETURN 'open", "never closed"),
    ("MATCH (n) /* open", "never closed"),
    ("EXPLAIN CREATE (n)", "CREATE"),
    ("START DATABASE neo4j", "START"),
    ("  ; ", "empty"),
    ("// nothing", "empty"),
]


@pytest.mark.parametrize("query", READING)
def test_what_only_reads_passes(query: str) -> None:
    assert why_not(query) is None


@pytest.mark.parametrize(("query", "reason"), REFUSED)
def test_what_could_write_is_refused_with_the_reason(query: str, reason: str) -> None:
    assert reason in (why_not(query) or "passed")


NOISE = st.sampled_from(["/* x */", "// y\n", " ", "\n\t", "/* ' */", '/* " ` */', "// `\n"])
TEXT = st.text(alphabet="ab'\"`/* \\SET", max_size=12)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(text=TEXT, noise=NOISE, word=st.sampled_from(sorted(WRITING)), lower=st.booleans())
def test_no_string_or_comment_before_it_hides_a_writing_clause(text: str, noise: str, word: str, lower: bool) -> None:
    clause = word.lower() if lower else word
    query = f"MATCH (n) WHERE n.x = {quoted(text)}{noise}WITH n{noise or ' '}{clause}{noise or ' '}n"
    assert why_not(query) == f"{word} writes"


@given(text=st.text(alphabet=st.characters(exclude_characters="\\\r"), max_size=40))
def test_whatever_a_string_holds_is_not_code(text: str) -> None:
    assert why_not(f"MATCH (n) WHERE n.x = {quoted(text)} RETURN n") is None
