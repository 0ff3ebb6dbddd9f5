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
    # local state (exit 3)
    "passphrase-wrong": Text(
        "The passphrase does not open this replica.",
        "Try again; capital letters and the keyboard's language count.",
        "Mật khẩu không mở được bản sao này.",
        "Hãy thử lại; chú ý chữ hoa và bộ gõ.",
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
