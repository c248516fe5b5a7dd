"""The table of faults in README.md and the tests agree, both ways."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROW = re.compile(r"^\| F(\d+) \| [^|]+ \| (.*) \|$", re.MULTILINE)


def table() -> dict[int, list[str]]:
    rows = ROW.findall((HERE / "README.md").read_text())
    return {int(number): re.findall(r"`([^`]+)`", tests) for number, tests in rows}


def names_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef)}


def test_every_row_of_the_matrix_has_a_test() -> None:
    rows = table()

    assert list(rows) == list(range(1, 56))
    assert [number for number, tests in rows.items() if not tests] == []


def test_every_test_the_table_names_is_there() -> None:
    for number, tests in table().items():
        for name in tests:
            file, _, test = name.partition("::")
            path = HERE / file
            assert path.exists(), f"F{number}: {file}"
            assert not test or test in names_in(path), f"F{number}: {name}"


def test_every_test_of_a_row_stands_in_the_table() -> None:
    rows = table()
    for path in sorted(HERE.glob("test_*.py")):
        for test in sorted(names_in(path)):
            numbers = re.match(r"test((?:_f\d\d)+)_", test)
            for number in re.findall(r"f(\d\d)", numbers.group(1)) if numbers else []:
                assert f"{path.name}::{test}" in rows[int(number)], test
