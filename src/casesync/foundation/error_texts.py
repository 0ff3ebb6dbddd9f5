"""What people read when something fails, in English and Vietnamese (foundation).

One row per error code: message and advice. Templates use ``str.format`` fields that the raising
call supplies; a missing parameter shows as ``?`` rather than hiding the error behind another one.
A test checks that every code raised in the source stands here and the other way round.
"""

from __future__ import annotations

from typing import Final

from casesync.foundation.error_text import Text
from casesync.foundation.error_texts_command import COMMAND_TEXTS
from casesync.foundation.error_texts_forms import FORM_TEXTS
from casesync.foundation.error_texts_network import NETWORK_TEXTS
from casesync.foundation.error_texts_replica import REPLICA_TEXTS
from casesync.foundation.error_texts_rights import RIGHTS_TEXTS

_TEXTS: Final[dict[str, Text]] = {
    # usage (exit 2): codes
    "case-code-mistyped": Text(
        "This is not a case code: a character is wrong, missing or too many.",
        "Compare it with the code on the screen; 'casesync case list' shows all codes.",
        "Đây không phải mã hồ sơ: có ký tự sai, thiếu hoặc thừa.",
        "Đối chiếu với mã trên màn hình; 'casesync case list' liệt kê mọi mã.",
    ),
    # usage (exit 2): the store
    "page-unknown": Text(
        "What the list should go on after ({after}) is not in it, or not any more.",
        "Start the list again from its beginning.",
        "Mục đứng trước phần tiếp theo của danh sách ({after}) không có hoặc không còn trong đó.",
        "Hãy mở lại danh sách từ đầu.",
    ),
    "transaction-nested": Text(
        "A program tried to start a transaction inside another one.",
        "This is a bug; nothing was written. Tell your administrator.",
        "Chương trình mở một giao dịch bên trong giao dịch khác.",
        "Đây là lỗi phần mềm; chưa ghi gì cả. Hãy báo cho người quản trị.",
    ),
    "transaction-over": Text(
        "A program used a transaction after its end.",
        "This is a bug; nothing was written. Tell your administrator.",
        "Chương trình dùng một giao dịch đã kết thúc.",
        "Đây là lỗi phần mềm; chưa ghi gì cả. Hãy báo cho người quản trị.",
    ),
    # usage (exit 2): schemas and the names in them
    "schema-invalid": Text(
        "The schema cannot be used: {where}: {why}.",
        "Correct the schema file; protocol/schemas.md says what a schema must satisfy.",
        "Không dùng được lược đồ dữ liệu: {where}: {why}.",
        "Hãy sửa tệp lược đồ; protocol/schemas.md nêu những gì một lược đồ phải thỏa mãn.",
    ),
    "type-unknown": Text(
        "There is no record type '{type}'; there are: {known}.",
        "'casesync schema list' shows all record types.",
        "Không có loại bản ghi '{type}'; hiện có: {known}.",
        "'casesync schema list' liệt kê mọi loại bản ghi.",
    ),
    "field-unknown": Text(
        "The record type '{type}' has no field '{field}'.",
        "Most like it: {close}. |'casesync schema show {type}' lists all fields.",
        "Loại bản ghi '{type}' không có trường '{field}'.",
        "Giống nhất: {close}. |'casesync schema show {type}' liệt kê mọi trường.",
    ),
    "part-unknown": Text(
        "The elements of '{field}' have no part '{part}'; there are: {known}.",
        "'casesync schema show TYPE' lists the parts of each field.",
        "Phần tử của '{field}' không có mục '{part}'; hiện có: {known}.",
        "'casesync schema show LOẠI' liệt kê các mục của từng trường.",
    ),
    # usage (exit 2): values
    "value-invalid": Text(
        "This value cannot stand in '{field}' ({why}).",
        "'casesync schema show TYPE' says what the field can hold.",
        "Giá trị này không dùng được cho '{field}' ({why}).",
        "'casesync schema show LOẠI' cho biết trường này nhận giá trị nào.",
    ),
    "value-unknown-code": Text(
        "'{field}' has no such choice; there are: {known}.",
        "Write one of them, or its name in Vietnamese or English.",
        "'{field}' không có lựa chọn này; hiện có: {known}.",
        "Hãy ghi một trong các mã đó, hoặc tên bằng tiếng Việt hay tiếng Anh.",
    ),
    "value-too-long": Text(
        "The text for '{field}' has {chars} characters; at most {most} are possible.",
        "Shorten it, or split it into several entries.",
        "Nội dung của '{field}' dài {chars} ký tự; tối đa là {most}.",
        "Hãy rút ngắn, hoặc chia thành nhiều bản ghi.",
    ),
    "value-out-of-range": Text(
        "'{field}' must lie between {low} and {high}.",
        "Check the number.",
        "'{field}' phải nằm trong khoảng từ {low} đến {high}.",
        "Hãy kiểm tra lại con số.",
    ),
    "value-empty": Text(
        "No value was given for '{field}'.",
        "To take a value away, use 'casesync case unset'.",
        "Chưa nhập giá trị cho '{field}'.",
        "Muốn bỏ giá trị, dùng 'casesync case unset'.",
    ),
    "value-control-characters": Text(
        "The text for '{field}' contains control characters.",
        "Type it again instead of pasting it.",
        "Nội dung của '{field}' có ký tự điều khiển.",
        "Hãy gõ lại thay vì dán.",
    ),
    "value-not-a-date": Text(
        "'{field}' needs a date.",
        "Write dd/mm/yyyy, mm/yyyy or yyyy; put ~ in front if it is an estimate.",
        "'{field}' cần một ngày.",
        "Hãy ghi ngày/tháng/năm, tháng/năm hoặc năm; thêm ~ ở trước nếu là ước chừng.",
    ),
    "value-not-a-day": Text(
        "'{field}' needs a whole day.",
        "Write dd/mm/yyyy, for instance 05/07/2026.",
        "'{field}' cần đủ ngày, tháng và năm.",
        "Hãy ghi ngày/tháng/năm, ví dụ 05/07/2026.",
    ),
    "value-not-a-time": Text(
        "'{field}' needs a day and a time.",
        "Write dd/mm/yyyy HH:MM, for instance 05/07/2026 14:30.",
        "'{field}' cần ngày và giờ.",
        "Hãy ghi ngày/tháng/năm giờ:phút, ví dụ 05/07/2026 14:30.",
    ),
    "value-not-a-number": Text(
        "'{field}' needs a whole number.",
        "Write it in digits.",
        "'{field}' cần một số nguyên.",
        "Hãy ghi bằng chữ số.",
    ),
    "value-not-money": Text(
        "'{field}' needs an amount in dong.",
        "Write for instance 15.000.000, 15000000 ₫ or 15 triệu.",
        "'{field}' cần một số tiền (đồng).",
        "Hãy ghi ví dụ 15.000.000, 15000000 ₫ hoặc 15 triệu.",
    ),
    "value-not-yes-or-no": Text(
        "'{field}' needs yes or no.",
        "Write yes or no.",
        "'{field}' cần trả lời có hoặc không.",
        "Hãy ghi có hoặc không.",
    ),
    "value-not-a-phone": Text(
        "'{field}' needs a telephone number.",
        "Write all digits, for instance 0912 345 678, or +country code for numbers abroad.",
        "'{field}' cần một số điện thoại.",
        "Hãy ghi đủ số, ví dụ 0912 345 678; số nước ngoài bắt đầu bằng + và mã nước.",
    ),
    "value-not-an-id": Text(
        "'{field}' needs the id of a record, office or member.",
        "Copy the id as 'casesync --json' shows it: 32 characters 0-9 and a-f.",
        "'{field}' cần mã định danh của bản ghi, cơ sở hoặc thành viên.",
        "Hãy chép mã mà 'casesync --json' hiển thị: 32 ký tự 0-9 và a-f.",
    ),
    "value-no-elements": Text(
        "'{field}' holds one value, not a list.",
        "Use FIELD=VALUE instead of += or -=.",
        "'{field}' chỉ có một giá trị, không phải danh sách.",
        "Hãy dùng TRƯỜNG=GIÁ_TRỊ thay cho += hoặc -=.",
    ),
    "step-not-allowed": Text(
        "'{field}' cannot go from '{before}' to '{after}'; possible: {allowed}.",
        "Choose one of the possible steps.",
        "'{field}' không thể chuyển từ '{before}' sang '{after}'; có thể: {allowed}.",
        "Hãy chọn một trong các bước có thể.",
    ),
    # local state (exit 3)
    "database-does-not-open": Text(
        "The database of this replica does not open: its key is another one, or the file is "
        "missing or damaged.",
        "Do not delete anything; run 'casesync doctor' and tell your administrator.",
        "Không mở được cơ sở dữ liệu của bản sao này: sai khóa, hoặc tệp bị mất hay bị hỏng.",
        "Đừng xóa gì cả; chạy 'casesync doctor' và báo cho người quản trị.",
    ),
    "database-corrupt": Text(
        "The database of this replica is damaged: a page failed its check.",
        "Stop working here; what was sent is safe. Run 'casesync doctor' and tell your "
        "administrator.",
        "Cơ sở dữ liệu của bản sao này bị hỏng: có trang không qua kiểm tra.",
        "Hãy ngừng làm việc trên máy này; dữ liệu đã gửi vẫn an toàn. Chạy 'casesync doctor' và "
        "báo cho người quản trị.",
    ),
    "database-newer": Text(
        "The database was made by a newer version of casesync (format {found}, known {known}).",
        "Install the newer version; nothing was changed.",
        "Cơ sở dữ liệu do phiên bản casesync mới hơn tạo ra (định dạng {found}, biết đến {known}).",
        "Hãy cài phiên bản mới hơn; chưa có gì bị thay đổi.",
    ),
    "passphrase-wrong": Text(
        "The passphrase does not open this replica.",
        "Try again; capital letters and the keyboard's language count.",
        "Mật khẩu không mở được bản sao này.",
        "Hãy thử lại; chú ý chữ hoa và bộ gõ.",
    ),
    "passphrase-short": Text(
        "A new passphrase needs at least {least} characters; this one has {count}.",
        "Choose several words that do not belong together; blanks count.",
        "Mật khẩu mới cần ít nhất {least} ký tự; mật khẩu này có {count}.",
        "Hãy chọn vài từ không liên quan với nhau; khoảng trắng cũng được tính.",
    ),
    "unlock-time": Text(
        "A replica can stay unlocked for at most {hours} hours.",
        "Give a shorter time, such as 'unlock --for 15m'.",
        "Bản sao chỉ mở khóa được tối đa {hours} giờ.",
        "Hãy cho thời gian ngắn hơn, ví dụ 'unlock --for 15m'.",
    ),
    "database-locked": Text(
        "Another process works on this replica (process {pid}: {command}).",
        "Wait until it has finished, then try again.",
        "Một tiến trình khác đang dùng bản sao này (tiến trình {pid}: {command}).",
        "Chờ nó xong rồi thử lại.",
    ),
    "database-rolled-back": Text(
        "The database is older than this device remembers: it was restored or copied.",
        "Nothing is sent. Ask your administrator to suspend this device and invite you again.",
        "Cơ sở dữ liệu cũ hơn thiết bị này đã ghi nhớ: nó đã bị khôi phục hoặc sao chép.",
        "Không gửi gì đi. Hãy nhờ người quản trị đình chỉ thiết bị này và mời lại bạn.",
    ),
    "anchor-damaged": Text(
        "The file 'anchor' of this replica is damaged.",
        "Do not delete it; tell your administrator.",
        "Tệp 'anchor' của bản sao này bị hỏng.",
        "Đừng xóa tệp; hãy báo cho người quản trị.",
    ),
    "vault-damaged": Text(
        "The file 'vault' of this replica is damaged; without it nothing opens.",
        "Restore the file 'vault' from a backup; it changes only with the passphrase.",
        "Tệp 'vault' của bản sao này bị hỏng; không có nó thì không mở được gì.",
        "Khôi phục tệp 'vault' từ bản sao lưu của thư mục này; tệp chỉ đổi khi đổi mật khẩu.",
    ),
    "vault-newer": Text(
        "The file 'vault' was written by a newer version of the program.",
        "Update the program.",
        "Tệp 'vault' do phiên bản mới hơn của chương trình ghi.",
        "Hãy cập nhật chương trình.",
    ),
    "replica-exists": Text(
        "There is a replica in this folder already.",
        "Give another folder with --home.",
        "Thư mục này đã có một bản sao.",
        "Hãy chọn thư mục khác bằng --home.",
    ),
    "unlock-failed": Text(
        "The process that keeps the replica unlocked did not start.",
        "Go on with the passphrase; 'casesync doctor' may say more.",
        "Tiến trình giữ bản sao mở khóa không khởi động được.",
        "Hãy dùng tiếp bằng mật khẩu; 'casesync doctor' có thể cho biết thêm.",
    ),
    "runtime-folder-unsafe": Text(
        "The folder for temporary sockets belongs to somebody else.",
        "Nothing was unlocked. Ask who looks after this computer.",
        "Thư mục cho các socket tạm thuộc về người khác.",
        "Không mở khóa gì cả. Hãy hỏi người quản lý máy tính này.",
    ),
    "disk-full": Text(
        "The disk is full; nothing was changed.",
        "Free some space and try again.",
        "Đĩa đã đầy; không có gì thay đổi.",
        "Giải phóng dung lượng rồi thử lại.",
    ),
    "disk-error": Text(
        "The disk could not be read or written.",
        "Check the disk and the rights of the folder, then try again.",
        "Không đọc hoặc ghi được đĩa.",
        "Kiểm tra đĩa và quyền của thư mục rồi thử lại.",
    ),
    # crypto and protocol (exit 6)
    "schema-newer": Text(
        "The network's schema needs a newer version of casesync.",
        "Update casesync on this device; until then older records stay readable.",
        "Lược đồ dữ liệu của mạng lưới cần phiên bản casesync mới hơn.",
        "Hãy cập nhật casesync trên máy này; các bản ghi cũ vẫn đọc được.",
    ),
    "kdf-below-floor": Text(
        "The passphrase is protected more weakly than this program allows.",
        "Somebody may have changed the files of this replica; tell your administrator.",
        "Mật khẩu được bảo vệ yếu hơn mức chương trình cho phép.",
        "Có thể ai đó đã sửa tệp của bản sao này; hãy báo cho người quản trị.",
    ),
    "kdf-above-ceiling": Text(
        "Opening this replica would need more memory or time than this program allows.",
        "Somebody may have changed the files of this replica; tell your administrator.",
        "Mở bản sao này cần nhiều bộ nhớ hoặc thời gian hơn mức chương trình cho phép.",
        "Có thể ai đó đã sửa tệp của bản sao này; hãy báo cho người quản trị.",
    ),
    "enrolment-code-mistyped": Text(
        "This is not a code: a character is wrong, missing or too many.",
        "Have it read out again and type all 7 characters; the invitation is still good.",
        "Đây không phải mã xác nhận: có ký tự sai, thiếu hoặc thừa.",
        "Nhờ đọc lại và gõ đủ 7 ký tự; lời mời vẫn còn hiệu lực.",
    ),
    "enrolment-code-wrong": Text(
        "The code does not match the other screen; the invitation is burnt.",
        "Check with your colleague by voice who is joining, then make a new invitation.",
        "Mã không khớp với màn hình bên kia; lời mời đã bị hủy.",
        "Hãy gọi cho đồng nghiệp để biết ai đang tham gia, rồi tạo lời mời mới.",
    ),
    "does-not-verify": Text(
        "Data did not verify and was not used.",
        "Run 'casesync doctor' and tell your administrator.",
        "Dữ liệu không xác thực được nên không được dùng.",
        "Chạy 'casesync doctor' và báo cho người quản trị.",
    ),
    "proof-invalid": Text(
        "The relay's proof about its log is wrong.",
        "Do not rely on this relay; tell your administrator.",
        "Bằng chứng của máy chuyển tiếp về sổ của nó là sai.",
        "Đừng tin cậy máy chuyển tiếp này; hãy báo cho người quản trị.",
    ),
    "page-contradicts-log": Text(
        "The relay sent data that contradicts its own log ({what}); nothing of it was taken.",
        "Run 'casesync sync' again; if it stays, tell your administrator.",
        "Máy chuyển tiếp gửi dữ liệu trái với sổ của chính nó ({what}); không nhận phần nào.",
        "Chạy lại 'casesync sync'; nếu vẫn vậy, hãy báo cho người quản trị.",
    ),
    "checkpoint-invalid": Text(
        "The relay's signed statement about its log is wrong.",
        "Do not rely on this relay; tell your administrator.",
        "Xác nhận có chữ ký của máy chuyển tiếp về sổ của nó là sai.",
        "Đừng tin cậy máy chuyển tiếp này; hãy báo cho người quản trị.",
    ),
    "control-log-broken": Text(
        "The relay's list of members and devices is broken ({what}); nothing new was taken.",
        "Do not rely on this relay; tell your administrator.",
        "Danh sách thành viên, thiết bị trên máy chuyển tiếp bị hỏng ({what}); không nhận gì mới.",
        "Đừng tin cậy máy chuyển tiếp này; hãy báo cho người quản trị.",
    ),
    "control-act-void": Text(
        "This act has no effect ({what}).",
        "Check who may do this; 'casesync member list' shows roles and rights.",
        "Thao tác này không có hiệu lực ({what}).",
        "Kiểm tra ai được làm việc này; 'casesync member list' cho biết vai trò và quyền.",
    ),
    "blob-missing": Text(
        "A part of the list of members is not here yet.",
        "Run 'casesync sync' again.",
        "Một phần của danh sách thành viên chưa có ở đây.",
        "Hãy chạy lại 'casesync sync'.",
    ),
    "malformed": Text(
        "Received data is malformed ({what}) and was not used.",
        "Run 'casesync sync' again; if it stays, tell your administrator.",
        "Dữ liệu nhận được sai định dạng ({what}) nên không được dùng.",
        "Chạy lại 'casesync sync'; nếu vẫn vậy, báo cho người quản trị.",
    ),
}


TEXTS: Final = {
    **_TEXTS,
    **COMMAND_TEXTS,
    **FORM_TEXTS,
    **NETWORK_TEXTS,
    **{code: Text(*row) for code, row in (REPLICA_TEXTS | RIGHTS_TEXTS).items()},
}


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def _row(code: str) -> Text:
    fallback = Text(
        f"Error: {code}.", "Run 'casesync doctor'.", f"Lỗi: {code}.", "Chạy 'casesync doctor'."
    )
    return TEXTS.get(code, fallback)


def _filled(template: str, params: dict[str, object], lang: str) -> str:
    """``params`` filled in; one called ``NAME_vi`` is what ``NAME`` is in Vietnamese.

    Of a template in parts (``|``) those are left out that name a parameter which is empty.
    """
    filled = _Lenient(params)
    if lang == "vi":
        filled |= {k.removesuffix("_vi"): v for k, v in params.items() if k.endswith("_vi")}
    if "|" in template:
        empty = [f"{{{name}}}" for name, value in filled.items() if value == ""]
        parts = (part for part in template.split("|") if not any(name in part for name in empty))
        template = "".join(parts)
    return template.format_map(filled)


def message_text(code: str, params: dict[str, object], lang: str) -> str:
    """The message of ``code`` in ``lang`` with ``params`` filled in."""
    row = _row(code)
    return _filled(row.vi if lang == "vi" else row.en, params, lang)


def advice_text(code: str, params: dict[str, object], lang: str) -> str:
    """The advice of ``code`` in ``lang`` with ``params`` filled in."""
    row = _row(code)
    return _filled(row.vi_advice if lang == "vi" else row.en_advice, params, lang)
