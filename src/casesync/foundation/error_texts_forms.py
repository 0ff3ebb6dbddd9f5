"""What people read when forms of a file, or many at once, cannot be saved (foundation)."""

from __future__ import annotations

from typing import Final

from casesync.foundation.error_text import Text

FORM_TEXTS: Final[dict[str, Text]] = {
    "forms-refused": Text(
        "Nothing was saved: {count} things are wrong, the first of them in form {form} ({why}).",
        "Correct what is named, then save all of them again.",
        "Chưa lưu gì: có {count} chỗ sai, chỗ đầu tiên ở biểu mẫu {form} ({why}).",
        "Hãy sửa những chỗ được nêu, rồi lưu lại tất cả.",
    ),
    "forms-too-many": Text(
        "More than {most} forms cannot be saved at once.",
        "Save them in several parts.",
        "Không lưu được quá {most} biểu mẫu một lần.",
        "Hãy chia thành nhiều phần rồi lưu.",
    ),
    "forms-file-refused": Text(
        "Nothing was saved. Problems in {file}: {count}.",
        "Correct them in the file, then run the command again.",
        "Chưa lưu gì: có {count} chỗ sai trong {file}.",
        "Hãy sửa trong tệp, rồi chạy lại lệnh.",
    ),
    "forms-file": Text(
        "{file} cannot be read as a table in UTF-8.",
        "Save the spreadsheet as 'CSV UTF-8'.",
        "Không đọc được {file} như một bảng theo UTF-8.",
        "Hãy lưu bảng tính theo dạng 'CSV UTF-8'.",
    ),
    "forms-file-large": Text(
        "{file} is larger than {most} MB.",
        "Split it into several files, each with the first row.",
        "{file} lớn hơn {most} MB.",
        "Hãy chia thành nhiều tệp, tệp nào cũng có hàng đầu tiên.",
    ),
    "forms-rows-many": Text(
        "{file} has more than {most} rows below the first, empty ones included.",
        "Delete empty rows, or split it into several files, each with the first row.",
        "{file} có hơn {most} hàng dưới hàng đầu tiên, kể cả hàng trống.",
        "Hãy xóa hàng trống, hoặc chia thành nhiều tệp, tệp nào cũng có hàng đầu tiên.",
    ),
    "forms-cells-many": Text(
        "{file} has more than {most} cells with text.",
        "Split it into several files, each with the first row.",
        "{file} có hơn {most} ô có chữ.",
        "Hãy chia thành nhiều tệp, tệp nào cũng có hàng đầu tiên.",
    ),
    "forms-row-form": Text(
        "This row cannot be read: a quotation mark is out of place, or a cell is far too long.",
        "Save the spreadsheet again as 'CSV UTF-8'.",
        "Không đọc được hàng này: dấu ngoặc kép sai chỗ, hoặc một ô quá dài.",
        "Hãy lưu lại bảng tính theo dạng 'CSV UTF-8'.",
    ),
    "forms-no-case-column": Text(
        "The first row names no column 'case'.",
        "Its first row has 'case' and fields such as person.given_name.",
        "Hàng đầu tiên không có cột 'case'.",
        "Hàng đầu tiên ghi 'case' và các trường như person.given_name.",
    ),
    "forms-column": Text(
        "This is not the name of a field.",
        "Name it as 'casesync case set' does, TYPE.FIELD; TYPE.FIELD+ adds to a set.",
        "Đây không phải tên một trường.",
        "Hãy ghi như 'casesync case set', LOẠI.TRƯỜNG; LOẠI.TRƯỜNG+ thêm vào tập hợp.",
    ),
    "forms-column-twice": Text(
        "This column is there twice.",
        "Keep the one that is meant.",
        "Cột này có hai lần.",
        "Hãy giữ lại cột muốn dùng.",
    ),
    "forms-columns-many": Text(
        "More than {most} columns are too many.",
        "Split the table into several.",
        "Quá {most} cột là quá nhiều.",
        "Hãy chia bảng thành nhiều bảng.",
    ),
    "forms-case-missing": Text(
        "No case is named.",
        "Write the case's code into the column 'case'.",
        "Chưa ghi hồ sơ nào.",
        "Hãy ghi mã hồ sơ vào cột 'case'.",
    ),
    "forms-cell-extra": Text(
        "This cell stands under no name of a field.",
        "Empty it, or name its column in the first row.",
        "Ô này không nằm dưới tên trường nào.",
        "Hãy xóa ô này, hoặc ghi tên cột ở hàng đầu tiên.",
    ),
    "forms-cell-long": Text(
        "This text is longer than {most} kB.",
        "Shorten it.",
        "Văn bản này dài hơn {most} kB.",
        "Hãy rút ngắn.",
    ),
}
