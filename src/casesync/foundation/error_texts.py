"""What people read when something fails, in English and Vietnamese (foundation).

One row per error code: message and advice. Templates use ``str.format`` fields that the raising
call supplies; a missing parameter shows as ``?`` rather than hiding the error behind another one.
A test checks that every code raised in the source stands here and the other way round.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from casesync.foundation.error_texts_replica import REPLICA_TEXTS


class Text(NamedTuple):
    """Message (what, why) and advice (what to do) in both languages."""

    en: str
    en_advice: str
    vi: str
    vi_advice: str


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
        "Most like it: {close}. 'casesync schema show {type}' lists all fields.",
        "Loại bản ghi '{type}' không có trường '{field}'.",
        "Giống nhất: {close}. 'casesync schema show {type}' liệt kê mọi trường.",
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
        "'{text}' không theo dạng TYPE[/ID].FIELD=VALUE.",
        "Ví dụ: person.given_name=Hoa, case.kinds+=gbv, person.phones[+84900000001].whose=self.",
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
        "'{text}' không theo dạng FIELD=VALUE.",
        "'casesync schema show TYPE' liệt kê các trường.",
    ),
    "target-form": Text(
        "'{text}' is not of the form TYPE[/ID].FIELD.",
        "'casesync schema show TYPE' lists the fields.",
        "'{text}' không theo dạng TYPE[/ID].FIELD.",
        "'casesync schema show TYPE' liệt kê các trường.",
    ),
    "record-form": Text(
        "'{text}' is not of the form TYPE/ID.",
        "'casesync record list CASE TYPE' shows the ids.",
        "'{text}' không theo dạng TYPE/ID.",
        "'casesync record list CASE TYPE' cho xem các mã.",
    ),
    "filter-form": Text(
        "'{text}' is not of the form FIELD=VALUE.",
        "Example: --filter case.status=open.",
        "'{text}' không theo dạng FIELD=VALUE.",
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
    # relay and network (exit 3, 4, 5, 6)
    "relay-unreachable": Text(
        "The relay cannot be reached; work goes on offline.",
        "Check the internet connection and run this command again later.",
        "Không kết nối được máy chuyển tiếp; vẫn làm việc ngoại tuyến được.",
        "Hãy kiểm tra mạng rồi chạy lại lệnh này sau.",
    ),
    "relay-certificate": Text(
        "The relay's certificate is not trusted by this computer, has expired or is for another "
        "name.",
        "Check address and date; a certificate authority of your own goes into SSL_CERT_FILE.",
        "Máy này không tin chứng chỉ của máy chuyển tiếp, hoặc chứng chỉ đã hết hạn hay mang tên "
        "khác.",
        "Kiểm tra địa chỉ và ngày giờ; nếu mạng lưới tự cấp chứng chỉ, đặt tệp vào SSL_CERT_FILE.",
    ),
    "relay-refused": Text(
        "The relay refused the request ({reason}).",
        "Run 'casesync sync' again; if it stays, tell your administrator.",
        "Máy chuyển tiếp từ chối yêu cầu ({reason}).",
        "Chạy lại 'casesync sync'; nếu vẫn vậy, báo cho người quản trị.",
    ),
    "relay-busy": Text(
        "The relay is busy or out of order at the moment.",
        "Run 'casesync sync' again in a few minutes.",
        "Máy chuyển tiếp đang bận hoặc trục trặc.",
        "Hãy chạy lại 'casesync sync' sau vài phút.",
    ),
    "relay-quota": Text(
        "The relay takes no more data from this device today, or from this network.",
        "Try again tomorrow; if it stays, tell whoever runs the relay.",
        "Máy chuyển tiếp không nhận thêm dữ liệu của thiết bị hoặc mạng lưới này hôm nay.",
        "Hãy thử lại ngày mai; nếu vẫn vậy, báo cho người vận hành máy chuyển tiếp.",
    ),
    "relay-networks-full": Text(
        "This relay takes no further networks.",
        "Ask whoever runs it to raise --networks-max.",
        "Máy chuyển tiếp này không nhận thêm mạng lưới.",
        "Hãy nhờ người vận hành tăng --networks-max.",
    ),
    "relay-clock-skew": Text(
        "The relay does not accept this device's time, not even after it was corrected.",
        "Set this computer's clock and run 'casesync sync' again.",
        "Máy chuyển tiếp không chấp nhận giờ của thiết bị này.",
        "Hãy chỉnh lại đồng hồ máy tính rồi chạy lại 'casesync sync'.",
    ),
    "relay-other-network": Text(
        "This relay does not know this network or this device.",
        "Check the relay's address; 'casesync whoami' shows the one in use.",
        "Máy chuyển tiếp này không biết mạng lưới hoặc thiết bị này.",
        "Hãy kiểm tra địa chỉ máy chuyển tiếp bằng 'casesync whoami'.",
    ),
    "relay-url-invalid": Text(
        "This is not the address of a relay.",
        "Write it as https://name or https://name:port.",
        "Đây không phải là địa chỉ máy chuyển tiếp.",
        "Hãy viết dạng https://tên hoặc https://tên:cổng.",
    ),
    "relay-not-https": Text(
        "A relay on another machine is reached over https only.",
        "Use an address that starts with https://.",
        "Chỉ kết nối tới máy chuyển tiếp ở máy khác qua https.",
        "Hãy dùng địa chỉ bắt đầu bằng https://.",
    ),
    "relay-behind": Text(
        "The relay holds less than it has shown before; it was restored or rolled back.",
        "Nothing was changed here; tell your administrator and whoever runs the relay.",
        "Máy chuyển tiếp giữ ít dữ liệu hơn trước; có thể nó đã bị khôi phục lùi.",
        "Ở đây không có gì thay đổi; hãy báo người quản trị và người vận hành máy chuyển tiếp.",
    ),
    "relay-log-damaged": Text(
        "The relay cannot read its own log any more; what it once signed was changed or damaged.",
        "Your replica is whole; tell your administrator and whoever runs the relay.",
        "Máy chuyển tiếp không đọc được nhật ký của chính nó; dữ liệu nó từng ký đã bị đổi.",
        "Dữ liệu ở đây vẫn nguyên; hãy báo người quản trị và người vận hành máy chuyển tiếp.",
    ),
    "relay-file-missing": Text(
        "There is no relay's database {file}.",
        "Give the file that 'casesync relay serve --db' was started with.",
        "Không có cơ sở dữ liệu của máy chuyển tiếp {file}.",
        "Hãy chỉ đúng tệp mà 'casesync relay serve --db' dùng.",
    ),
    "relay-store-failed": Text(
        "The relay's database cannot be used: disk full, damaged or in use.",
        "Free space on the disk, or stop the other relay that uses this file.",
        "Không dùng được cơ sở dữ liệu của máy chuyển tiếp: đĩa đầy, hỏng hoặc đang bận.",
        "Hãy giải phóng đĩa, hoặc dừng máy chuyển tiếp khác đang dùng tệp này.",
    ),
    "relay-store-newer": Text(
        "A newer version of the relay wrote this database.",
        "Install the newer version.",
        "Cơ sở dữ liệu này do phiên bản mới hơn của máy chuyển tiếp ghi.",
        "Hãy cài phiên bản mới hơn.",
    ),
    "head-moved": Text(
        "Somebody else changed members or units at the same moment; nothing was changed.",
        "Try again.",
        "Có người khác vừa thay đổi thành viên hoặc cơ sở; chưa có gì thay đổi.",
        "Hãy thử lại.",
    ),
    "device-suspended": Text(
        "This device was suspended; the relay takes nothing from it and gives it nothing.",
        "Ask an administrator of your network.",
        "Thiết bị này đã bị đình chỉ; máy chuyển tiếp không nhận và không gửi gì.",
        "Hãy hỏi người quản trị mạng lưới.",
    ),
    "device-forked": Text(
        "The relay holds other changes under this device's numbers: it was restored or copied.",
        "Nothing was sent; run 'casesync doctor' and tell your administrator.",
        "Máy chuyển tiếp có thay đổi khác dưới số của máy này: máy đã bị khôi phục hay sao chép.",
        "Chưa gửi gì; chạy 'casesync doctor' và báo cho người quản trị.",
    ),
    "counter-replayed": Text(
        "The relay has seen later requests of this device: it was restored or copied.",
        "Nothing was sent; run 'casesync doctor' and tell your administrator.",
        "Máy chuyển tiếp đã thấy yêu cầu muộn hơn của máy này: máy đã bị khôi phục hay sao chép.",
        "Chưa gửi gì; chạy 'casesync doctor' và báo cho người quản trị.",
    ),
    "invitation-gone": Text(
        "This invitation is over: cancelled, expired or completed.",
        "Ask for a new invitation.",
        "Lời mời này không còn hiệu lực: đã hủy, hết hạn hoặc đã dùng xong.",
        "Hãy xin lời mời mới.",
    ),
    "invitation-used": Text(
        "Somebody has used this invitation already.",
        "Ask for a new invitation, and tell your administrator if it was not you.",
        "Lời mời này đã có người dùng.",
        "Hãy xin lời mời mới, và báo người quản trị nếu không phải bạn dùng.",
    ),
    # membership and enrolment
    "control-log-forged": Text(
        "The relay shows a membership entry (index {index}) that nobody signed.",
        "Nothing of it was used; run 'casesync doctor' and tell your administrator.",
        "Máy chuyển tiếp đưa ra mục thành viên (số {index}) không ai ký.",
        "Không dùng mục đó; chạy 'casesync doctor' và báo cho người quản trị.",
    ),
    "blob-differs": Text(
        "The relay answered with other data than was asked for ({blob}).",
        "Nothing of it was used; run 'casesync doctor' and tell your administrator.",
        "Máy chuyển tiếp trả về dữ liệu khác với dữ liệu được hỏi ({blob}).",
        "Không dùng dữ liệu đó; chạy 'casesync doctor' và báo cho người quản trị.",
    ),
    "control-incomplete": Text(
        "This device does not hold the whole membership log yet.",
        "Run 'casesync sync' first.",
        "Máy này chưa có đủ sổ kiểm soát.",
        "Hãy chạy 'casesync sync' trước.",
    ),
    "change-log-behind": Text(
        "This device has not seen everything that the last membership act had seen.",
        "Run 'casesync sync' and try again.",
        "Máy này chưa thấy hết những gì lần thay đổi thành viên trước đã thấy.",
        "Chạy 'casesync sync' rồi thử lại.",
    ),
    "unit-seed-missing": Text(
        "This device was given a key of its office that it does not hold.",
        "Nothing was done; run 'casesync doctor' and ask a colleague to do this instead.",
        "Máy này lẽ ra có một khóa của cơ sở nhưng không giữ khóa đó.",
        "Chưa làm gì; chạy 'casesync doctor' và nhờ đồng nghiệp làm thay.",
    ),
    "nothing-to-admit": Text(
        "Device {device} is not waiting for anything that this device could give.",
        "See 'casesync device list' for who is waiting.",
        "Máy {device} không chờ điều gì mà máy này có thể trao.",
        "Xem 'casesync device list' để biết ai đang chờ.",
    ),
    "unit-unknown": Text(
        "There is no such office ({unit}).",
        "See 'casesync unit list'.",
        "Không có cơ sở này ({unit}).",
        "Xem 'casesync unit list'.",
    ),
    "name-invalid": Text(
        "A name must not be empty, over 512 bytes long, or hold control characters.",
        "Type the name again.",
        "Tên không được để trống, dài quá 512 byte hay chứa ký tự điều khiển.",
        "Hãy nhập lại tên.",
    ),
    "invitation-malformed": Text(
        "This is not a whole invitation.",
        "Copy all of it, from 'casesync-invite' to the last character.",
        "Đây không phải là lời mời đầy đủ.",
        "Hãy chép toàn bộ, từ 'casesync-invite' đến ký tự cuối.",
    ),
    "invitation-newer": Text(
        "This invitation was made by a newer version of casesync.",
        "Update casesync on this device, then join again.",
        "Lời mời này do phiên bản casesync mới hơn tạo ra.",
        "Hãy cập nhật casesync trên máy này rồi tham gia lại.",
    ),
    "invitation-expired": Text(
        "This invitation has expired.",
        "Ask for a new invitation.",
        "Lời mời này đã hết hạn.",
        "Hãy xin lời mời mới.",
    ),
    "invitation-cancelled": Text(
        "This invitation was cancelled.",
        "Make a new invitation.",
        "Lời mời này đã bị hủy.",
        "Hãy tạo lời mời mới.",
    ),
    "invitation-spoiled": Text(
        "A message of this enrolment does not verify; somebody may have interfered.",
        "Nobody was enrolled; make a new invitation and hand it over in another way.",
        "Một thông điệp của lần ghi danh không xác thực được; có thể có người can thiệp.",
        "Chưa ai được ghi danh; hãy tạo lời mời mới và trao bằng cách khác.",
    ),
    "control-log-shorter": Text(
        "The relay shows less of the membership log than the invitation promises.",
        "Do not work with this device; tell the person who invited you.",
        "Máy chuyển tiếp đưa ra sổ kiểm soát ngắn hơn lời mời cho biết.",
        "Đừng dùng máy này; hãy báo cho người đã mời bạn.",
    ),
    "control-log-differs": Text(
        "The relay shows another membership log than the one you were invited to.",
        "Do not work with this device; tell the person who invited you.",
        "Máy chuyển tiếp đưa ra sổ kiểm soát khác với nơi bạn được mời.",
        "Đừng dùng máy này; hãy báo cho người đã mời bạn.",
    ),
    "enrolment-differs": Text(
        "You were enrolled otherwise than you signed: keys, office, role or rights differ.",
        "Do not work with this device; ask for a new invitation.",
        "Bạn được ghi danh khác với điều đã ký: khóa, cơ sở, vai trò hay quyền bị đổi.",
        "Đừng dùng máy này; hãy xin lời mời mới.",
    ),
    # the demo
    "demo-folder-not-empty": Text(
        "The folder {folder} is not empty.",
        "Name a folder that does not exist yet, or an empty one.",
        "Thư mục {folder} không trống.",
        "Hãy chọn một thư mục chưa có, hoặc thư mục trống.",
    ),
    "demo-process-ended": Text(
        "The process '{who}' of the demo ended by itself. Its last words: {last}",
        "This is a bug; run it again with --keep and send the log files to your administrator.",
        "Tiến trình '{who}' của bản trình diễn tự kết thúc. Lời cuối: {last}",
        "Đây là lỗi phần mềm; hãy chạy lại với --keep và gửi các tệp nhật ký cho người quản trị.",
    ),
    "demo-process-silent": Text(
        "The process '{who}' of the demo has said nothing for {seconds} seconds.",
        "Is the computer very busy? Try again; otherwise this is a bug.",
        "Tiến trình '{who}' của bản trình diễn im lặng đã {seconds} giây.",
        "Máy tính có đang quá bận không? Hãy thử lại; nếu vẫn thế thì đây là lỗi phần mềm.",
    ),
    "demo-join-endless": Text(
        "The laptops of the demo do not get to the end of joining.",
        "This is a bug; run it again with --keep and send the log files to your administrator.",
        "Các máy trong bản trình diễn không gia nhập xong được.",
        "Đây là lỗi phần mềm; hãy chạy lại với --keep và gửi các tệp nhật ký cho người quản trị.",
    ),
}


TEXTS: Final = {**_TEXTS, **{code: Text(*row) for code, row in REPLICA_TEXTS.items()}}


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def _row(code: str) -> Text:
    fallback = Text(
        f"Error: {code}.", "Run 'casesync doctor'.", f"Lỗi: {code}.", "Chạy 'casesync doctor'."
    )
    return TEXTS.get(code, fallback)


def _filled(template: str, params: dict[str, object], lang: str) -> str:
    """``params`` filled in; one called ``NAME_vi`` is what ``NAME`` is in Vietnamese."""
    filled = _Lenient(params)
    if lang == "vi":
        filled |= {k.removesuffix("_vi"): v for k, v in params.items() if k.endswith("_vi")}
    return template.format_map(filled)


def message_text(code: str, params: dict[str, object], lang: str) -> str:
    """The message of ``code`` in ``lang`` with ``params`` filled in."""
    row = _row(code)
    return _filled(row.vi if lang == "vi" else row.en, params, lang)


def advice_text(code: str, params: dict[str, object], lang: str) -> str:
    """The advice of ``code`` in ``lang`` with ``params`` filled in."""
    row = _row(code)
    return _filled(row.vi_advice if lang == "vi" else row.en_advice, params, lang)
