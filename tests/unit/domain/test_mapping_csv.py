import pytest

from sync.domain.mapping_csv import CsvRule, FileRefused, read_rules


def test_columns_may_come_in_any_order_and_empty_lines_are_passed_over() -> None:
    text = "Sage account,Vendor,BILL account\n6420-100,,Trade Shows\n,,\n5010-100,Prairie Mill,\n"

    assert read_rules(text.encode()) == [
        CsvRule(line=2, gl_account="6420-100", named={"account_id": "Trade Shows"}),
        CsvRule(line=4, gl_account="5010-100", named={"vendor_id": "Prairie Mill"}),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"BILL account;Sage account\nCaf\xc3\xa9;6420-100\n",
        b"\xef\xbb\xbfBILL account\tSage account\r\nCaf\xc3\xa9\t6420-100\r\n",
        b"bill ACCOUNT,sage account\nCaf\xe9,6420-100\n",
    ],
)
def test_what_spreadsheets_write_is_read(content: bytes) -> None:
    rules = read_rules(content)

    assert [(rule.named, rule.gl_account) for rule in rules] == [
        ({"account_id": "Café"}, "6420-100")
    ]


def test_the_apostrophe_that_keeps_a_formula_from_running_is_taken_off() -> None:
    text = "BILL account,Sage account,Rule name\nTolls,6330-300,'=SUM(A1)\n"

    assert read_rules(text.encode())[0].name == "=SUM(A1)"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing from the first line"),
        ("BILL account,Sage account\n", "no line below its header"),
        ("BILL account\nTolls\n", "“Sage account” is missing"),
        ("Sage account\n6420-100\n", "at least one of"),
        ("BILL account,Colour,Sage account\nTolls,red,1\n", "“Colour” is not known"),
        ("Sage account,Sage account,Item\n1,2,3\n", "is there twice"),
        ("PK\x00\x00", "not a CSV file"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        read_rules(text.encode())


def test_a_file_beyond_all_measure_is_refused() -> None:
    with pytest.raises(FileRefused, match="larger than 2 MB"):
        read_rules(b"x" * 2_000_001)
