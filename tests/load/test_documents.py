from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_persona.errors import SuiteError, TraitError
from pytest_persona.load import documents_text
from pytest_persona.load.documents import MAX_BYTES, Document, field_name, nearest, read_document, shown


def read(tmp_path: Path, text: str | bytes, name: str = "x.yaml") -> Document:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path, TraitError, root=tmp_path)


def refusal(tmp_path: Path, text: str | bytes, name: str = "x.yaml") -> str:
    with pytest.raises(TraitError) as caught:
        read(tmp_path, text, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("Off", "Off"), ("y", "y"), ("True", "True"), ("true", True), ("false", False),
        ("2024-05-01", "2024-05-01"), ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z"), ("1.2.0", "1.2.0"), ("12:30:45", "12:30:45"),
        ("null", None), ("~", None), ("", None), ("3", 3), ("-3", -3), ("0.5", 0.5), ("-1e3", -1000.0), (".5", 0.5), ("1.", 1.0),
        ("'3'", "3"), ('"true"', "true"), ("|-\n  3", "3"), ("0x1f", "0x1f"), ("1_000", "1_000"), (".inf", ".inf"), (".nan", ".nan"),
        ("<<", "<<"), ("=", "="), ("a b", "a b"), ("9" * 30, float("9" * 30)),
    ],
)  # fmt: skip
def test_a_yaml_scalar_is_what_json_would_have_it_be_and_else_text(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"k: {text}\n").data["k"]
    assert found == value
    assert type(found) is type(value)


def test_yaml_reads_the_same_without_the_c_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, {b: yes}]\nc: |-\n  two\n  lines\nd: 'x'\n"
    fast = read(tmp_path, text)
    monkeypatch.setattr(documents_text, "_LOADER", yaml.SafeLoader)
    assert read(tmp_path, text) == fast
    assert (
        refusal(tmp_path, "a: 1\na: 2\n") == "x.yaml:2: a: the key is given twice, first on line 1. Keep one of them."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "x.yaml:5: b.c: the key is given twice, first on line 3. Keep one of them."),
        ("a: &x [1]\nb: *x\n", "x.yaml:1: anchors and aliases (&, *) are not read. Write it out, or quote it."),
        ("a: 1\nb: *x\n", "x.yaml:2: anchors and aliases (&, *) are not read. Write it out, or quote it."),
        ("a: 1\nb: !!python/object:os.system x\n", "x.yaml:2: tags (!) are not read. Leave the tag out, or quote the text."),
        ("a: !!set {x}\n", "x.yaml:1: tags (!) are not read. Leave the tag out, or quote the text."),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: a second document begins. Keep one document in one file."),
        ("a: 1\n2: b\n", "x.yaml:2: the key '2' is not text. Put it in quotes."),
        ("true: b\n", "x.yaml:1: the key 'true' is not text. Put it in quotes."),
        ("a:\n  ? [x, y]\n  : z\n", "x.yaml:2: a key is a list or a mapping. Keys must be text."),
        ("a:\n\t- b\n", "x.yaml:2: the line is indented with a tab. Indent with spaces."),
        ("a: b: c\n", "x.yaml:1: is not YAML: mapping values are not allowed in this context. Put text that holds ': ', ' #' or "
                      "a bracket in quotes or in a block that begins with '|-'."),
        ("a: 1\nb: [1, 2\n", "x.yaml:3: is not YAML: did not find expected ',' or ']'. Put text that holds ': ', ' #' or "
                             "a bracket in quotes or in a block that begins with '|-'."),
        ("a: 1\nb: " + "[" * 40 + "]" * 40, "x.yaml:2: is nested too deeply. At most 32 lists and mappings within one another are read."),
        ("a: 1\nb: [1, 1e999]\n", "x.yaml:2: b[1]: is not a finite number. Write a number in decimal digits."),
        ("a: 1\nb: x\x1b[31m\n", "x.yaml:2: holds the control character U+001B. Take it out."),
        (b"a: 1\nb: \xff\n", "x.yaml:2: is not valid UTF-8. Save the file as UTF-8."),
        ("", "x.yaml: is empty. Write the document, or name another file."),
        ("# nothing\n", "x.yaml: is empty. Write the document, or name another file."),
    ],
)  # fmt: skip
def test_yaml_that_is_not_plain_data_is_refused_with_its_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_an_alias_bomb_is_refused_at_its_first_anchor(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert refusal(tmp_path, "\n".join(lines)).startswith("x.yaml:1: anchors and aliases")


def test_a_million_open_brackets_are_refused_and_not_followed(tmp_path: Path) -> None:
    for name in ("x.yaml", "x.json"):
        assert "is nested too deeply" in refusal(tmp_path, "[" * 1_000_000 + "]" * 1_000_000, name)
    assert "is nested too deeply" in refusal(tmp_path, "a = " + "[" * 40 + "]" * 40, "x.toml")
    assert "is nested too deeply" in refusal(tmp_path, "a = " + "[" * 100_000 + "]" * 100_000, "x.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"a": 1,\n "b": {"c": 1,\n "c": 2}}',
            "x.json:3: b.c: the key is given twice, first on line 2. Keep one of them.",
        ),
        ('{"a": 1,\n "b": [1, {"c": ', "x.json:2: ends in the middle. The file is cut off; write it again."),
        ('{"a": 1,\n "b": "tex', "x.json:2: ends in the middle. The file is cut off; write it again."),
        ('{"a": 1,\n "b": x}\n', "x.json:2: is not JSON: Expecting value. Look at column 7 of this line."),
        ('{"a": 1,\n "b": NaN}\n', "x.json:2: b: is not a finite number. Write a number in decimal digits."),
        ('{"a": 1,\n "b": [-Infinity]}\n', "x.json:2: b[0]: is not a finite number. Write a number in decimal digits."),
        ('{"a":\n 1' + "0" * 300 + "}", "x.json:1: a: is too large a number. Write a smaller number."),
        ('{"a":\n "\\ud83d"}', "x.json:1: a: holds half a character (a lone surrogate). Take it out."),
        ('{"\\ud83d": 1}', "x.json:1: '\\ud83d': holds half a character (a lone surrogate). Take it out."),
        ("null", "x.json: is empty. Write the document, or name another file."),
    ],
)
def test_json_that_is_not_plain_data_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text, "x.json") == message


def test_a_json_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    assert "number" in refusal(tmp_path, '{"a": ' + "1" * 10_000 + "}", "x.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\na = 2\n", "x.toml:2: is not TOML: Cannot overwrite a value. Mend this line; text stands in quotes."),
        ("a = 1\nb = yes\n", "x.toml:2: is not TOML: Invalid value. Mend this line; text stands in quotes."),
        ("a = 1\nb = 'x", 'x.toml:2: is not TOML: Expected "\'". Mend this line; text stands in quotes.'),
        ("a = 1\n[b]\nc = inf\n", "x.toml:3: b.c: is not a finite number. Write a number in decimal digits."),
    ],
)
def test_toml_that_is_not_plain_data_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text, "x.toml") == message


def test_toml_dates_are_text(tmp_path: Path) -> None:
    assert read(tmp_path, "a = 2024-05-01\nb = [10:30:00]\n", "x.toml").data == {"a": "2024-05-01", "b": ["10:30:00"]}


YAML = """\
top: 1
nested:
  list:
    - first
    - {inline: 2,
       more: 3}
  text: |-
    some
    text
  after: 4
"""
JSON = """\
{
  "top": 1, "nested": {
    "list": [
      "fi,[{r:st",
      {"inline": 2,
       "more": 3}], "text": "a\\"b",
    "after": 4
  }
}
"""
TOML = '''\
top = 1
[nested]
text = """
not = 'a key'
[nor a table]
"""
"after" = 4
[[nested.list]]
inline = 2
[[nested.list]]
inline.deep = 2
'''


def test_every_part_of_a_yaml_document_knows_its_line(tmp_path: Path) -> None:
    document = read(tmp_path, YAML)
    assert document.lines == {
        (): 1, ("top",): 1, ("nested",): 2, ("nested", "list"): 3, ("nested", "list", 0): 4, ("nested", "list", 1): 5,
        ("nested", "list", 1, "inline"): 5, ("nested", "list", 1, "more"): 6, ("nested", "text"): 7, ("nested", "after"): 10,
    }  # fmt: skip


def test_every_part_of_a_json_document_knows_its_line(tmp_path: Path) -> None:
    document = read(tmp_path, JSON, "x.json")
    assert document.data == json.loads(JSON)
    assert document.lines == {
        (): 1, ("top",): 2, ("nested",): 2, ("nested", "list"): 3, ("nested", "list", 0): 4, ("nested", "list", 1): 5,
        ("nested", "list", 1, "inline"): 5, ("nested", "list", 1, "more"): 6, ("nested", "text"): 6, ("nested", "after"): 7,
    }  # fmt: skip


def test_tables_and_keys_of_a_toml_document_know_their_line(tmp_path: Path) -> None:
    document = read(tmp_path, TOML, "x.toml")
    assert document.line(("top",)) == 1
    assert document.line(("nested", "text")) == 3
    assert document.line(("nested", "after")) == 7
    assert document.line(("nested", "list", 0, "inline")) == 9
    assert document.line(("nested", "list", 1)) == 10
    assert document.line(("nested", "list", 1, "inline", "deep")) == 11
    assert ("nested", "not") not in document.lines


def test_a_part_without_a_line_has_the_line_of_what_is_around_it() -> None:
    document = Document(path="x", data={}, lines={(): 1, ("a",): 7})
    assert document.line(("a", "b", 3)) == 7
    assert document.line(("c",)) == 1
    assert Document(path="x", data={}, lines={}).line(("a",)) is None


def test_a_document_may_begin_with_a_byte_order_mark_and_have_windows_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").data == {"a": 1, "b": 2}


def test_a_document_above_five_megabytes_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, "a: " + "x" * (MAX_BYTES - 3)).data["a"]
    assert refusal(tmp_path, "a: " + "x" * MAX_BYTES) == "x.yaml: is larger than 5 MB. Split it, or take rows out."


def test_a_file_that_cannot_be_opened_is_an_error_of_the_users(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"^nowhere\.yaml: there is no such file\."):
        read_document(tmp_path / "nowhere.yaml", SuiteError, root=tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(SuiteError, match=r"^folder\.yaml: cannot be opened: Is a directory\."):
        read_document(tmp_path / "folder.yaml", SuiteError, root=tmp_path)
    with pytest.raises(SuiteError, match=r"cannot be opened: embedded null byte\."):
        read_document(tmp_path / "a\0.yaml", SuiteError, root=tmp_path)


def test_the_ending_says_the_format_unless_the_caller_does(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, "a", "x.txt")
        == "x.txt: is of no format that is read here. Use one of .yaml, .yml, .json, .toml."
    )
    (tmp_path / "x.txt").write_text('{"a": 1}')
    assert read_document(tmp_path / "x.txt", TraitError, format=".json").data == {"a": 1}
    assert read(tmp_path, "a: 1", "X.YML").data == {"a": 1}


def test_a_path_is_shown_relative_to_the_root_it_lies_under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(tmp_path / "a" / "b.yaml", tmp_path) == "a/b.yaml"
    assert shown(tmp_path / "b.yaml", tmp_path / "a") == (tmp_path / "b.yaml").as_posix()
    assert shown(Path("a", "b.yaml"), tmp_path) == "a/b.yaml"
    monkeypatch.chdir(tmp_path)
    assert shown(Path(os.getcwd()) / "b.yaml") == "b.yaml"


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ((), ""),
        (("a", "b-c"), "a.b-c"),
        (("a", 3, "b"), "a[3].b"),
        (("a b",), "'a b'"),
        (("a", "\x1b[2J"), "a.'\\x1b[2J'"),
    ],
)
def test_a_field_is_named_so_that_it_cannot_steer_a_terminal(part: Any, name: str) -> None:
    assert field_name(part) == name


def test_the_nearest_names_are_offered_and_else_all() -> None:
    assert nearest("sycophncy", ["sycophancy", "malice"]) == "The nearest known: 'sycophancy'"
    assert nearest("xyz", ["sycophancy", "malice"]) == "Known: sycophancy, malice"
    assert nearest("xyz", []) == "None is known here"
