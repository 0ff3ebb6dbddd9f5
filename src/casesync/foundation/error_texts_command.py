"""What people read when a command cannot be carried out as typed (foundation)."""

from __future__ import annotations

from typing import Final

from casesync.foundation.error_text import Text

COMMAND_TEXTS: Final[dict[str, Text]] = {
    # the command line (exit 2; the last two: exit 3)
    "usage": Text(
        "{detail}.",
        "Run '{command} --help'.",
        "Lệnh không đúng: {detail}.",
        "Chạy '{command} --help'.",
    ),
    "usage-no-such-command": Text(
        "There is no command '{name}'.",
        "Run '{command} --help' for the list.",
        "Không có lệnh '{name}'.",
        "Chạy '{command} --help' để xem danh sách.",
    ),
    "usage-no-such-option": Text(
        "There is no option '{option}'.",
        "Run '{command} --help' for the list.",
        "Không có tùy chọn '{option}'.",
        "Chạy '{command} --help' để xem danh sách.",
    ),
    "usage-extra": Text(
        "'{what}' is one word too many.",
        "Run '{command} --help'; put texts with blanks into quotes.",
        "Thừa '{what}'.",
        "Chạy '{command} --help'; đặt văn bản có dấu cách trong ngoặc kép.",
    ),
    "suspend-unconfirmed": Text(
        "Device {device} was not suspended: nobody here can be asked, and it cannot be undone.",
        "Repeat the command with --yes.",
        "Chưa đình chỉ máy {device}: ở đây không hỏi được ai, mà việc này không làm lại được.",
        "Chạy lại lệnh với --yes.",
    ),
    "enrolment-code-needed": Text(
        "The other screen shows a code now, and nobody here can be asked for it.",
        "Have it read out, then repeat the command with --code CODE.",
        "Màn hình bên kia đang hiện mã xác nhận, mà ở đây không hỏi được ai.",
        "Nhờ đọc mã đó, rồi chạy lại lệnh với --code MÃ_XÁC_NHẬN.",
    ),
    "usage-missing": Text(
        "'{what}' is missing.",
        "Run '{command} --help'.",
        "Thiếu '{what}'.",
        "Chạy '{command} --help'.",
    ),
    "usage-bad-value": Text(
        "The value of '{what}' is not possible.",
        "Run '{command} --help'.",
        "Giá trị của '{what}' không dùng được.",
        "Chạy '{command} --help'.",
    ),
    "usage-choice": Text(
        "The value of '{what}' is not possible; choose from: {known}.",
        "Run '{command} --help'.",
        "Giá trị của '{what}' không dùng được; hãy chọn trong: {known}.",
        "Chạy '{command} --help'.",
    ),
    "purpose-invalid": Text(
        "A purpose has at most 64 bytes, about 40 Vietnamese letters, in one line.",
        "Say it in a word or two, or leave --purpose out: your role has a default.",
        "Mục đích dài nhiều nhất 64 byte, chừng 40 chữ cái tiếng Việt, trên một dòng.",
        "Hãy ghi trong một hai từ, hoặc bỏ --purpose: vai trò của bạn có mặc định.",
    ),
    "usage-not-text": Text(
        "A word of this command is not text in UTF-8.",
        "Nothing was done. Set the terminal, or the program that calls, to UTF-8.",
        "Một từ trong lệnh này không phải là chữ theo UTF-8.",
        "Chưa làm gì. Hãy đặt cửa sổ lệnh, hoặc chương trình gọi lệnh, dùng UTF-8.",
    ),
    "usage-no-value": Text(
        "'{what}' needs a value after it.",
        "Run '{command} --help'.",
        "Sau '{what}' cần có một giá trị.",
        "Chạy '{command} --help'.",
    ),
    "date-form": Text(
        "'{text}' is not a day.",
        "Write it as dd/mm/yyyy.",
        "'{text}' không phải là một ngày.",
        "Hãy ghi theo dạng dd/mm/yyyy.",
    ),
    "duration-form": Text(
        "'{text}' is not a length of time.",
        "Write it as 30s, 15m, 8h or 7d.",
        "'{text}' không phải là một khoảng thời gian.",
        "Hãy ghi như 30s, 15m, 8h hoặc 7d.",
    ),
    "assignment-form": Text(
        "'{text}' is not of the form TYPE[/ID].FIELD=VALUE.",
        "Examples: person.given_name=Hoa, case.kinds+=gbv, person.phones[+84900000001].whose=self.",
        "'{text}' không theo dạng LOẠI[/MÃ].TRƯỜNG=GIÁ_TRỊ.",
        "Ví dụ: person.given_name=Hoa, case.kinds+=gbv, person.phones[+84900000001].whose=self.",
    ),
    "assignment-twice": Text(
        "'{field}' is given twice in one command; nothing was written.",
        "Name each field once, with the value that is meant.",
        "'{field}' được ghi hai lần trong một lệnh; chưa ghi gì cả.",
        "Hãy ghi mỗi trường một lần, với đúng giá trị muốn lưu.",
    ),
    "element-unknown": Text(
        "'{field}' has no '{element}', so there is nothing to set '{part}' of.",
        "Check it with 'casesync case show', or add it first: {type}.{field}+={element}",
        "'{field}' không có '{element}', nên không đặt được mục '{part}'.",
        "Hãy kiểm tra bằng 'casesync case show', hoặc thêm trước: {type}.{field}+={element}",
    ),
    "element-absent": Text(
        "'{field}' has no '{element}', so there is nothing to remove.",
        "Check how it is written with 'casesync case show'.",
        "'{field}' không có '{element}', nên không có gì để bỏ.",
        "Hãy kiểm tra cách viết bằng 'casesync case show'.",
    ),
    "consent-by-itself": Text(
        "A consent is not made word by word: what was agreed to is recorded as a whole.",
        "Use 'casesync consent give'.",
        "Sự đồng ý không được ghi từng mục: phải ghi trọn những gì đã đồng ý.",
        "Dùng 'casesync consent give'.",
    ),
    "case-record-exists": Text(
        "A case has one record 'case', and it is there already; nothing was written.",
        "Change it with 'casesync case set CASE case.FIELD=VALUE'.",
        "Mỗi hồ sơ chỉ có một bản ghi 'case', và bản ghi ấy đã có; chưa ghi gì cả.",
        "Hãy sửa nó bằng 'casesync case set HỒ_SƠ case.TRƯỜNG=GIÁ_TRỊ'.",
    ),
    "assignment-empty": Text(
        "'{text}' has no value.",
        "To make a field absent use 'casesync case unset'.",
        "'{text}' không có giá trị.",
        "Muốn bỏ trống một trường, hãy dùng 'casesync case unset'.",
    ),
    "field-value-form": Text(
        "'{text}' is not of the form FIELD=VALUE.",
        "'casesync schema show TYPE' lists the fields.",
        "'{text}' không theo dạng TRƯỜNG=GIÁ_TRỊ.",
        "'casesync schema show LOẠI' liệt kê các trường.",
    ),
    "target-form": Text(
        "'{text}' is not of the form TYPE[/ID].FIELD.",
        "'casesync schema show TYPE' lists the fields.",
        "'{text}' không theo dạng LOẠI[/MÃ].TRƯỜNG.",
        "'casesync schema show LOẠI' liệt kê các trường.",
    ),
    "record-form": Text(
        "'{text}' is not of the form TYPE/ID.",
        "'casesync record list CASE TYPE' shows the ids.",
        "'{text}' không theo dạng LOẠI/MÃ.",
        "'casesync record list HỒ_SƠ LOẠI' cho xem các mã.",
    ),
    "filter-form": Text(
        "'{text}' is not of the form FIELD=VALUE.",
        "Example: --filter case.status=open.",
        "'{text}' không theo dạng TRƯỜNG=GIÁ_TRỊ.",
        "Ví dụ: --filter case.status=open.",
    ),
    "relay-key-form": Text(
        "This is not a relay's key.",
        "Copy the 64 hexadecimal digits that 'casesync relay serve --print-key' shows.",
        "Đây không phải là khóa của máy chuyển tiếp.",
        "Hãy chép 64 chữ số thập lục phân mà 'casesync relay serve --print-key' hiện ra.",
    ),
    "internal": Text(
        "Something in casesync itself went wrong ({what}); nothing was half-written.",
        "Try again; if it stays, report it with what --verbose shows, which may contain content.",
        "Có lỗi trong chính casesync ({what}); không có gì bị ghi dở dang.",
        "Hãy thử lại; nếu vẫn vậy, báo lỗi kèm những gì --verbose hiện ra (có thể có nội dung).",
    ),
    "relay-tls-files": Text(
        "Certificate and key for TLS cannot be used together.",
        "Give both --tls-cert and --tls-key: two PEM files that can be read and belong together.",
        "Không dùng được chứng chỉ và khóa TLS.",
        "Hãy ghi cả --tls-cert và --tls-key: hai tệp PEM đọc được và thuộc về nhau.",
    ),
    "relay-folder-missing": Text(
        "There is no folder '{folder}' for the relay's database.",
        "Make it, or name another file with --db.",
        "Không có thư mục '{folder}' để đặt cơ sở dữ liệu của máy chuyển tiếp.",
        "Hãy tạo thư mục đó, hoặc chỉ tệp khác bằng --db.",
    ),
    "relay-address": Text(
        "The relay cannot listen on {host}, port {port}.",
        "Is another program using it? Choose another --port.",
        "Máy chuyển tiếp không lắng nghe được ở {host}, cổng {port}.",
        "Có chương trình khác đang dùng không? Hãy chọn --port khác.",
    ),
    "notice-file": Text(
        "The notice in '{file}' cannot be read as text of at most 64 kB.",
        "Save it as UTF-8 text and try again.",
        "Không đọc được thông báo trong '{file}' như văn bản không quá 64 kB.",
        "Hãy lưu thành văn bản UTF-8 rồi thử lại.",
    ),
    "passphrase-file": Text(
        "The passphrase file '{file}' cannot be read.",
        "Check its name and that it belongs to you.",
        "Không đọc được tệp mật khẩu '{file}'.",
        "Hãy kiểm tra tên tệp và quyền đọc.",
    ),
    "quarantine-unknown": Text(
        "There is no change {id} in quarantine.",
        "'casesync quarantine list' shows the ids.",
        "Không có thay đổi {id} trong khu cách ly.",
        "'casesync quarantine list' cho xem các mã.",
    ),
    "passphrase-new-needed": Text(
        "The new passphrase is needed and nobody can be asked here.",
        "Set CASESYNC_NEW_PASSPHRASE or use --new-passphrase-file.",
        "Cần mật khẩu mới mà ở đây không hỏi được ai.",
        "Đặt biến CASESYNC_NEW_PASSPHRASE hoặc dùng --new-passphrase-file.",
    ),
    "passphrase-needed": Text(
        "A new passphrase is needed and nobody can be asked here.",
        "Set CASESYNC_PASSPHRASE or use --passphrase-file.",
        "Cần mật khẩu mới mà ở đây không hỏi ai được.",
        "Hãy đặt CASESYNC_PASSPHRASE hoặc dùng --passphrase-file.",
    ),
    "locked": Text(
        "This replica is locked.",
        "Run 'casesync unlock', set CASESYNC_PASSPHRASE or use --passphrase-file.",
        "Bản sao này đang khóa.",
        "Chạy 'casesync unlock', đặt CASESYNC_PASSPHRASE hoặc dùng --passphrase-file.",
    ),
}
