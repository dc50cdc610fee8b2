#!/usr/bin/env python3
"""Makes the workbooks that tests/it/ingest/workbooks.rs reads (pip install openpyxl odfpy):

    python3 tests/data/workbooks/make.py

The files are committed as they came out; a newer openpyxl may write other bytes for the same cells.
"""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

HERE = Path(__file__).parent
HEADER = ["Order No", "Placed", "Paid at", "Amount", "Town", "Is new"]
ROWS = [
    ["A-1", dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 10, 5), 12.5, "Köln", True],
    [2, dt.date(2024, 2, 29), dt.datetime(2024, 2, 29), 1_000_000, None, False],
    None,
    ["A-3", dt.date(2024, 3, 1), None, "#DIV/0!", "Bonn", True],
    ["A-4", dt.date(2024, 3, 2), None, "=SUM(E5:E6)", "Ulm", True],
    ["A-5", dt.date(2024, 12, 31), dt.datetime(2024, 12, 31, 23, 59, 59), -3, "-", True],
]


def orders_xlsx() -> None:
    """A cover, orders below a title and right of an empty column, items, and a hidden sheet."""
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    book.active["A1"] = "Orders of 2024"
    orders = book.create_sheet("Orders 2024")
    orders["B1"] = "All orders"
    for at, name in enumerate(HEADER):
        orders.cell(4, 2 + at, name)
    for row, cells in enumerate(ROWS):
        for at, value in enumerate(cells or []):
            if value is not None:
                cell = orders.cell(5 + row, 2 + at, value)
                if value == "#DIV/0!":
                    cell.data_type = "e"
    items = book.create_sheet("Items")
    items.append(["order", "sku", "pieces"])
    items.append(["A-1", "007", 3])
    items.append(["A-5", "008", 1])
    hidden = book.create_sheet("Lists")
    hidden.append(["a", "b"])
    hidden.sheet_state = "hidden"
    book.save(HERE / "orders.xlsx")


def formulas_xlsx() -> None:
    """One sheet with formulas as a spreadsheet program saves them: each with its value, which may be an empty text."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "note", "sum"])
    sheet.append([1, "NOTE", "SUM"])
    plain = HERE / "plain.xlsx"
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(HERE / "formulas.xlsx", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                text = data.decode()
                second = text.index('<row r="2"')
                end = text.index("</row>", second)
                row = (
                    '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><f>IF(A2=1,"","x")</f><v></v></c>'
                    '<c r="C2"><f>A2+0.5</f><v>1.5</v></c>'
                )
                data = (text[:second] + row + text[end:]).encode()
            target.writestr(entry, data)
    plain.unlink()


def orders_ods() -> None:
    """The orders once more, as LibreOffice keeps them, in a workbook of one sheet."""
    book = OpenDocumentSpreadsheet()
    table = Table(name="Orders")

    def row(cells: list) -> None:
        line = TableRow()
        for value in cells:
            if value is None:
                cell = TableCell()
            elif isinstance(value, bool):
                cell = TableCell(valuetype="boolean", booleanvalue=str(value).lower())
            elif isinstance(value, (int, float)):
                cell = TableCell(valuetype="float", value=value)
            elif isinstance(value, dt.datetime):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            elif isinstance(value, dt.date):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            else:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
            line.addElement(cell)
        table.addElement(line)

    row(HEADER)
    for cells in ROWS:
        if cells is not None and cells[3] != "#DIV/0!" and not str(cells[3]).startswith("="):
            row(cells)
    book.spreadsheet.addElement(table)
    book.save(HERE / "orders.ods")


if __name__ == "__main__":
    orders_xlsx()
    formulas_xlsx()
    orders_ods()
