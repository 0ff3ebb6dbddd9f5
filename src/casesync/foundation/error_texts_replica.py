"""Error texts of records, this device and its relay (foundation; see ``error_texts``).

Rows: message and advice in English, message and advice in Vietnamese.
"""

from __future__ import annotations

from typing import Final

ADMIN_EN: Final = "Tell your administrator before you go on."
ADMIN_VI: Final = "Hãy báo người quản trị trước khi làm tiếp."
KEEP_EN: Final = (
    "Nothing was taken over. Tell your administrator; do not trust this relay until then."
)
KEEP_VI: Final = (
    "Không dữ liệu nào được nhận. Hãy báo người quản trị; tạm thời đừng tin máy chuyển tiếp này."
)

REPLICA_TEXTS: Final[dict[str, tuple[str, str, str, str]]] = {
    # -- naming things ------------------------------------------------------------------------
    "assignment-malformed": (
        "'{text}' does not name a field.",
        "Write TYPE.FIELD=VALUE, for example case.risk_level=high.",
        "'{text}' không chỉ ra một trường nào.",
        "Viết LOẠI.TRƯỜNG=GIÁ_TRỊ, ví dụ case.risk_level=high.",
    ),
    "base-malformed": (
        "This is not a token that 'case show' printed.",
        "Show the case again and use its token.",
        "Đây không phải mã do 'case show' in ra.",
        "Xem lại hồ sơ và dùng mã của lần xem đó.",
    ),
    "case-ambiguous": (
        "'{case}' is the beginning of several cases: {known}.",
        "Type more characters of the code.",
        "'{case}' là phần đầu của nhiều hồ sơ: {known}.",
        "Gõ thêm ký tự của mã.",
    ),
    "case-unknown": (
        "There is no case '{case}' on this device.",
        "Check the code ('casesync case find' looks for names); if it was shared just now, "
        "run 'casesync sync'.",
        "Không có hồ sơ '{case}' trên máy này.",
        "Kiểm tra lại mã ('casesync case find' tìm theo tên); nếu mới được chia sẻ, hãy chạy "
        "'casesync sync'.",
    ),
    "compartment-unknown": (
        "'{compartment}' is no part of a case that can be shared.",
        "Choose from: {known}.",
        "'{compartment}' không phải ngăn dữ liệu có thể chia sẻ.",
        "Chọn trong: {known}.",
    ),
    "conflict-unknown": (
        "There is no open conflict '{conflict}'.",
        "'casesync conflict list' shows the open ones.",
        "Không có xung đột '{conflict}' nào đang mở.",
        "'casesync conflict list' liệt kê các xung đột đang mở.",
    ),
    "consent-unknown": (
        "There is no consent '{consent}' in this case.",
        "'casesync consent show CASE' lists them.",
        "Hồ sơ này không có sự đồng ý '{consent}'.",
        "'casesync consent show HỒ_SƠ' liệt kê các sự đồng ý.",
    ),
    "member-unknown": (
        "There is nobody called '{member}'.",
        "'casesync member list' shows the names.",
        "Không có ai tên '{member}'.",
        "'casesync member list' liệt kê các tên.",
    ),
    "device-unknown": (
        "There is no device {device}.",
        "'casesync device list' shows them.",
        "Không có thiết bị {device}.",
        "'casesync device list' liệt kê các thiết bị.",
    ),
    "grant-unknown": (
        "There is no grant '{grant}' in this case.",
        "'casesync grant list CASE' shows them.",
        "Hồ sơ này không có quyền chia sẻ '{grant}'.",
        "'casesync grant list HỒ_SƠ' liệt kê các quyền chia sẻ.",
    ),
    "invitation-unknown": (
        "There is no invitation '{invitation}' on this device.",
        "'casesync invite list' shows them.",
        "Không có lời mời '{invitation}' trên máy này.",
        "'casesync invite list' liệt kê các lời mời.",
    ),
    "record-ambiguous": (
        "The case has several records of type {type}: {known}.",
        "Name one: {type}/ID.FIELD=VALUE.",
        "Hồ sơ có nhiều bản ghi loại {type}: {known}.",
        "Chỉ rõ một bản ghi: {type}/MÃ.TRƯỜNG=GIÁ_TRỊ.",
    ),
    "record-unknown": (
        "There is no {type} '{record}' in this case.",
        "'casesync record list CASE {type}' shows them.",
        "Hồ sơ này không có {type} '{record}'.",
        "'casesync record list HỒ_SƠ {type}' liệt kê các bản ghi.",
    ),
    "role-unknown": (
        "There is no role '{role}'.",
        "Choose from: {known}.",
        "Không có vai trò '{role}'.",
        "Chọn trong: {known}.",
    ),
    "unit-ambiguous": (
        "Several offices are called '{unit}': {known}.",
        "Name one by its id.",
        "Nhiều cơ sở cùng tên '{unit}': {known}.",
        "Hãy dùng mã của cơ sở.",
    ),
    "unit-exists": (
        "There is an office called '{unit}' already.",
        "Choose another name.",
        "Đã có cơ sở tên '{unit}'.",
        "Chọn tên khác.",
    ),
    "role-opens-no-cases": (
        "A visitor opens no cases: nobody else of the office could read them.",
        "Ask the office to open the case and to share it with you.",
        "Cộng tác viên thăm hộ không mở hồ sơ: không ai khác ở cơ sở đọc được.",
        "Nhờ cơ sở mở hồ sơ rồi chia sẻ cho bạn.",
    ),
    "unit-type-unknown": (
        "There is no type of office '{type}'.",
        "Choose from: {known}.",
        "Không có loại cơ sở '{type}'.",
        "Chọn trong: {known}.",
    ),
    # -- editing ------------------------------------------------------------------------------
    "change-too-large": (
        "This is too much for one save.",
        "Save it in several steps, at most 256 fields each.",
        "Quá nhiều dữ liệu cho một lần lưu.",
        "Hãy lưu làm nhiều lần, mỗi lần tối đa 256 trường.",
    ),
    "compartment-not-written": (
        "Your role, or what was shared with you, does not let you write '{field}' ({compartment}).",
        "Ask a colleague who may; the attempt was logged.",
        "Vai trò của bạn hoặc quyền chia sẻ không cho ghi '{field}' ({compartment}).",
        "Nhờ đồng nghiệp có quyền; lần thử này đã được ghi vào sổ truy cập.",
    ),
    "conflict-open": (
        "'{field}' has several values from different people; a person must decide.",
        "Look at them with 'casesync conflict list', then resolve or save with --resolve.",
        "'{field}' đang có nhiều giá trị từ nhiều người; cần một người quyết định.",
        "Xem bằng 'casesync conflict list', rồi giải quyết hoặc lưu với --resolve.",
    ),
    "conflict-decided": (
        "Conflict '{conflict}' is settled already: {author} ({unit}) decided on '{value}'.",
        "See 'casesync case history {case} --field {field}'; 'casesync case set' changes it.",
        "Xung đột '{conflict}' đã được quyết định: {author} ({unit}) chọn '{value}'.",
        "Xem 'casesync case history {case} --field {field}'; 'casesync case set' sửa được.",
    ),
    "conflict-moved": (
        "Other values came in since you looked; nothing was written.",
        "Show the conflict again and decide on all of them.",
        "Có giá trị khác vừa đến sau khi bạn xem; chưa ghi gì.",
        "Xem lại xung đột rồi quyết định trên tất cả các giá trị.",
    ),
    "entry-immutable": (
        "A {type} is an entry: it is never changed.",
        "Correct it with 'casesync record amend'.",
        "{type} là ghi chép nên không sửa được.",
        "Đính chính bằng 'casesync record amend'.",
    ),
    "field-is-set": (
        "'{field}' is a list.",
        "Add with += and remove with -=.",
        "'{field}' là một danh sách.",
        "Thêm bằng += và bỏ bằng -=.",
    ),
    "field-no-set": (
        "'{field}' of {type} is not a list.",
        "Set it with =.",
        "'{field}' của {type} không phải danh sách.",
        "Đặt giá trị bằng =.",
    ),
    "filter-field-unknown": (
        "No record type has a field '{field}'.",
        "'casesync schema list' and 'casesync schema show TYPE' list types and fields.",
        "Không loại bản ghi nào có trường '{field}'.",
        "'casesync schema list' và 'casesync schema show LOẠI' liệt kê các loại và trường.",
    ),
    "field-once": (
        "'{field}' is written once and has a value.",
        "An entry is corrected with 'casesync record amend'; otherwise add a note that says so.",
        "'{field}' chỉ ghi một lần và đã có giá trị.",
        "Sửa một ghi chép bằng 'casesync record amend'; nếu không, hãy thêm ghi chú nêu rõ.",
    ),
    "not-an-entry": (
        "A {type} is no entry and is not amended.",
        "Change its fields with 'casesync case set'.",
        "{type} không phải ghi chép nên không cần đính chính.",
        "Sửa các trường bằng 'casesync case set'.",
    ),
    "base-outdated": (
        "You changed '{field}' on this device after this token was shown; nothing was written.",
        "Look at the case again and use its new token, or leave --base out.",
        "Bạn đã sửa '{field}' trên máy này sau khi thẻ này được hiện; chưa ghi gì cả.",
        "Hãy xem lại hồ sơ và dùng thẻ mới của nó, hoặc bỏ --base.",
    ),
    "record-empty": (
        "Nothing was given for the new {type}; nothing was written.",
        "Write FIELD=VALUE behind the type; 'casesync schema show {type}' lists the fields.",
        "Chưa có nội dung nào cho {type} mới; chưa ghi gì cả.",
        "Ghi TRƯỜNG=GIÁ_TRỊ sau loại; 'casesync schema show {type}' liệt kê các trường.",
    ),
    "state-not-unset": (
        "'{field}' always has a state.",
        "Set the state it should have now.",
        "'{field}' luôn phải có một tình trạng.",
        "Đặt tình trạng đúng hiện nay.",
    ),
    # -- this device --------------------------------------------------------------------------
    "device-restored": (
        "This replica is older than what the relay holds of it: it was restored or copied.",
        "Reading works; nothing is written or sent. Sync again; if this stays, enrol anew.",
        "Bản sao này cũ hơn dữ liệu máy chuyển tiếp giữ: nó đã được khôi phục hoặc sao chép.",
        "Vẫn đọc được; không ghi, không gửi gì. Đồng bộ lại; nếu vẫn vậy, xin lời mời mới.",
    ),
    "home-exists": (
        "There is a replica in {folder} already.",
        "Choose another folder with --home.",
        "Trong {folder} đã có một bản sao.",
        "Chọn thư mục khác bằng --home.",
    ),
    "home-missing": (
        "There is no replica in {folder}.",
        "Start with 'casesync network create' or 'casesync join', or give the folder with --home.",
        "Không có bản sao nào trong {folder}.",
        "Bắt đầu bằng 'casesync network create' hay 'casesync join', hoặc dùng --home.",
    ),
    "database-missing": (
        "The database of the replica in {folder} is missing (the file 'replica.db').",
        "If it was moved, put it back; nothing was changed. A new replica needs another --home.",
        "Thiếu cơ sở dữ liệu của bản sao trong {folder} (tệp 'replica.db').",
        "Nếu nó đã được chuyển đi, hãy để lại chỗ cũ; chưa có gì thay đổi. Bản sao mới cần "
        "một --home khác.",
    ),
    "vault-missing": (
        "The key file of the replica in {folder} is missing ('vault'); without it nothing opens.",
        "Never make a new one there: put it back from where it went or from a backup. If it is "
        "lost, ask an administrator to suspend this device and to invite you again, then run "
        "'casesync join' with another --home.",
        "Thiếu tệp khóa của bản sao trong {folder} ('vault'); không có nó thì không mở được gì.",
        "Đừng tạo tệp mới ở đó: hãy để lại chỗ cũ hoặc lấy từ bản sao lưu. Nếu đã mất hẳn, nhờ "
        "người quản trị đình chỉ thiết bị này và mời lại bạn, rồi chạy 'casesync join' với --home "
        "khác.",
    ),
    "joined-already": (
        "This replica has joined its network already.",
        "Go on with 'casesync sync'.",
        "Bản sao này đã tham gia mạng lưới.",
        "Tiếp tục bằng 'casesync sync'.",
    ),
    "not-joined": (
        "This replica has not joined a network yet.",
        "Go on with 'casesync join'.",
        "Bản sao này chưa tham gia mạng lưới.",
        "Tiếp tục bằng 'casesync join'.",
    ),
    # -- the relay ----------------------------------------------------------------------------
    "control-contradicts-log": (
        "The relay's control log contradicts its own signature.",
        KEEP_EN,
        "Sổ kiểm soát của máy chuyển tiếp mâu thuẫn với chữ ký của chính nó.",
        KEEP_VI,
    ),
    "receipt-contradicts-log": (
        "The relay acknowledged a change at one place and shows it at another.",
        KEEP_EN,
        "Máy chuyển tiếp xác nhận một thay đổi ở chỗ này nhưng lại hiện ở chỗ khác.",
        KEEP_VI,
    ),
    "receipt-unknown": (
        "The relay acknowledged a change that was not sent.",
        KEEP_EN,
        "Máy chuyển tiếp xác nhận một thay đổi chưa hề được gửi.",
        KEEP_VI,
    ),
    "relay-endless": (
        "The relay never comes to an end.",
        ADMIN_EN,
        "Máy chuyển tiếp trả lời không bao giờ kết thúc.",
        ADMIN_VI,
    ),
    "relay-forked": (
        "The relay shows another history than before.",
        KEEP_EN,
        "Máy chuyển tiếp đưa ra một lịch sử khác với trước đây.",
        KEEP_VI,
    ),
    "relay-head-moves": (
        "Other administrators are working at the same time.",
        "Try again in a minute.",
        "Người quản trị khác đang làm việc cùng lúc.",
        "Thử lại sau một phút.",
    ),
    "relay-key-differs": (
        "The relay's key is not the one you gave.",
        "Compare it with 'casesync relay serve --print-key' at the relay. Nothing was created.",
        "Khóa của máy chuyển tiếp không phải khóa bạn đã nhập.",
        "So với 'casesync relay serve --print-key' tại máy chuyển tiếp. Chưa tạo gì cả.",
    ),
    "relay-rolled-back": (
        "The relay shows an older state than before.",
        KEEP_EN,
        "Máy chuyển tiếp đưa ra trạng thái cũ hơn trước đây.",
        KEEP_VI,
    ),
    # -- auditing -----------------------------------------------------------------------------
    "audit-device-failed": (
        "The access log of device {device} does not hold: {what} (change {change}, entry "
        "{sequence}).",
        "Keep this replica as evidence and report it.",
        "Sổ truy cập của thiết bị {device} không đứng vững: {what} (thay đổi {change}, mục "
        "{sequence}).",
        "Giữ bản sao này làm bằng chứng và báo cáo.",
    ),
    "audit-log-differs": (
        "What this replica stores is not the {log} log its checkpoint covers (at index {index}).",
        "Keep this replica as evidence and report it.",
        "Dữ liệu của bản sao này không khớp với sổ {log} mà dấu xác nhận bao phủ (vị trí {index}).",
        "Giữ bản sao này làm bằng chứng và báo cáo.",
    ),
}
