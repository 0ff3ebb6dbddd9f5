"""What people read when something fails, in English and Vietnamese (foundation).

One row per error code: message and advice. Templates use ``str.format`` fields that the raising
call supplies; a missing parameter shows as ``?`` rather than hiding the error behind another one.
A test checks that every code raised in the source stands here and the other way round.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Text(NamedTuple):
    """Message (what, why) and advice (what to do) in both languages."""

    en: str
    en_advice: str
    vi: str
    vi_advice: str


TEXTS: Final[dict[str, Text]] = {
    # usage (exit 2): codes
    "case-code-mistyped": Text(
        "This is not a case code: a character is wrong, missing or too many.",
        "Compare it with the code on the screen; 'casesync case list' shows all codes.",
        "Đây không phải mã hồ sơ: có ký tự sai, thiếu hoặc thừa.",
        "Đối chiếu với mã trên màn hình; 'casesync case list' liệt kê mọi mã.",
    ),
    # usage (exit 2): the store
    "page-unknown": Text(
        "The case after which the list should go on ({after}) is not in it any more.",
        "Start the list again from its beginning.",
        "Hồ sơ đứng trước phần tiếp theo của danh sách ({after}) không còn trong đó.",
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
    "database-locked": Text(
        "Another process is using this replica.",
        "Close the other window or wait until its command is done, then try again.",
        "Một tiến trình khác đang dùng bản sao này.",
        "Đóng cửa sổ kia hoặc đợi lệnh ở đó xong rồi thử lại.",
    ),
    "database-newer": Text(
        "The database was made by a newer version of casesync (format {found}, known {known}).",
        "Install the newer version; nothing was changed.",
        "Cơ sở dữ liệu do phiên bản casesync mới hơn tạo ra (định dạng {found}, biết đến {known}).",
        "Hãy cài phiên bản mới hơn; chưa có gì bị thay đổi.",
    ),
    "disk-full": Text(
        "The disk is full; nothing of this step was saved.",
        "Free some space (a few hundred megabytes) and try again.",
        "Ổ đĩa đã đầy; bước này chưa lưu được gì.",
        "Hãy giải phóng vài trăm megabyte rồi thử lại.",
    ),
    "disk-error": Text(
        "The disk could not be read or written; nothing of this step was saved.",
        "Check that the disk is connected and writable; if it stays, tell your administrator.",
        "Không đọc hoặc ghi được ổ đĩa; bước này chưa lưu được gì.",
        "Kiểm tra ổ đĩa còn kết nối và ghi được; nếu vẫn vậy, báo cho người quản trị.",
    ),
    "passphrase-wrong": Text(
        "The passphrase does not open this replica.",
        "Try again; capital letters and the keyboard's language count.",
        "Mật khẩu không mở được bản sao này.",
        "Hãy thử lại; chú ý chữ hoa và bộ gõ.",
    ),
    "passphrase-empty": Text(
        "The passphrase is empty.",
        "Choose a passphrase of several words.",
        "Mật khẩu để trống.",
        "Hãy chọn mật khẩu gồm vài từ.",
    ),
    "unlock-time": Text(
        "A replica can stay unlocked for at most {max_s} seconds.",
        "Give a shorter time, such as 'unlock --for 15m'.",
        "Bản sao chỉ mở khóa được tối đa {max_s} giây.",
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
    "replica-missing": Text(
        "There is no replica in this folder.",
        "Give its folder with --home, or start with 'network create' or 'join'.",
        "Thư mục này không có bản sao nào.",
        "Hãy chỉ thư mục bằng --home, hoặc bắt đầu bằng 'network create' hay 'join'.",
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
        "Bằng chứng của máy chuyển tiếp về nhật ký của nó là sai.",
        "Đừng tin cậy máy chuyển tiếp này; hãy báo cho người quản trị.",
    ),
    "page-contradicts-log": Text(
        "The relay sent data that contradicts its own log ({what}); nothing of it was taken.",
        "Run 'casesync sync' again; if it stays, tell your administrator.",
        "Máy chuyển tiếp gửi dữ liệu trái với nhật ký của chính nó ({what}); không nhận phần nào.",
        "Chạy lại 'casesync sync'; nếu vẫn vậy, hãy báo cho người quản trị.",
    ),
    "checkpoint-invalid": Text(
        "The relay's signed statement about its log is wrong.",
        "Do not rely on this relay; tell your administrator.",
        "Xác nhận có chữ ký của máy chuyển tiếp về nhật ký của nó là sai.",
        "Đừng tin cậy máy chuyển tiếp này; hãy báo cho người quản trị.",
    ),
    "control-log-broken": Text(
        "The relay's list of members and devices is broken ({what}); nothing new was taken.",
        "Do not rely on this relay; tell your administrator.",
        "Danh sách thành viên và thiết bị trên máy chuyển tiếp bị hỏng ({what}); không nhận gì mới.",
        "Đừng tin cậy máy chuyển tiếp này; hãy báo cho người quản trị.",
    ),
    "control-act-void": Text(
        "This act has no effect ({what}).",
        "Check who may do this; 'casesync member list' shows roles and rights.",
        "Thao tác này không có hiệu lực ({what}).",
        "Kiểm tra ai được làm việc này; 'casesync member list' cho biết vai trò và quyền.",
    ),
    "control-blob-missing": Text(
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


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def _row(code: str) -> Text:
    fallback = Text(
        f"Error: {code}.", "Run 'casesync doctor'.", f"Lỗi: {code}.", "Chạy 'casesync doctor'."
    )
    return TEXTS.get(code, fallback)


def message_text(code: str, params: dict[str, object], lang: str) -> str:
    """The message of ``code`` in ``lang`` with ``params`` filled in."""
    row = _row(code)
    return (row.vi if lang == "vi" else row.en).format_map(_Lenient(params))


def advice_text(code: str, params: dict[str, object], lang: str) -> str:
    """The advice of ``code`` in ``lang`` with ``params`` filled in."""
    row = _row(code)
    return (row.vi_advice if lang == "vi" else row.en_advice).format_map(_Lenient(params))
