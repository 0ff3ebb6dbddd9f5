"""Error texts of rights: sharing, administration, verdicts (foundation; see ``error_texts``).

Rows: message and advice in English, message and advice in Vietnamese.
"""

from __future__ import annotations

from typing import Final

from casesync.foundation.error_texts_replica import ADMIN_EN, ADMIN_VI

RIGHTS_TEXTS: Final[dict[str, tuple[str, str, str, str]]] = {
    # -- sharing ------------------------------------------------------------------------------
    "consent-expired": (
        "The consent {consent} does not last that long.",
        "Ask for a new consent, or share until an earlier day.",
        "Sự đồng ý {consent} không còn hiệu lực đến ngày đó.",
        "Xin sự đồng ý mới, hoặc chia sẻ đến ngày sớm hơn.",
    ),
    "consent-not-covering": (
        "The consent does not cover: {compartments}.",
        "Share less, or ask for a consent that covers it.",
        "Sự đồng ý không bao gồm: {compartments}.",
        "Chia sẻ ít hơn, hoặc xin sự đồng ý bao gồm phần này.",
    ),
    "consent-other-unit": (
        "The consent is for {unit}, not for this office.",
        "Use a consent that names the office.",
        "Sự đồng ý dành cho {unit}, không phải cơ sở này.",
        "Dùng sự đồng ý nêu đúng cơ sở.",
    ),
    "consent-other-purpose": (
        "The consent is for another purpose: {purpose}.",
        "Share for that purpose, or ask for a consent for this one.",
        "Sự đồng ý dành cho mục đích khác: {purpose}.",
        "Chia sẻ cho đúng mục đích đó, hoặc xin sự đồng ý cho mục đích này.",
    ),
    "consent-withdrawn": (
        "The consent {consent} was withdrawn.",
        "Nothing is shared on it. A new consent is a new record.",
        "Sự đồng ý {consent} đã được rút lại.",
        "Không chia sẻ gì dựa trên đó. Đồng ý lại là một bản ghi mới.",
    ),
    "compartments-none": (
        "No compartment was named; nothing was written.",
        "Name some behind --compartments, separated by commas: contact,livelihood.",
        "Chưa nêu ngăn nào; chưa ghi gì cả.",
        "Ghi các ngăn sau --compartments, cách nhau bằng dấu phẩy: contact,livelihood.",
    ),
    "consent-withdrawn-already": (
        "The consent {consent} was withdrawn before.",
        "Nothing was written; 'casesync grant list {case}' shows what is still shared.",
        "Sự đồng ý {consent} đã được rút lại trước đó.",
        "Không ghi gì thêm; 'casesync grant list {case}' cho biết còn chia sẻ những gì.",
    ),
    "until-past": (
        "The last day, {day}, is past: in Viet Nam it is {today} by this computer's clock.",
        "Nothing was recorded. Give a later day, or correct the computer's clock.",
        "Ngày cuối {day} đã qua: theo đồng hồ máy này, hôm nay ở Việt Nam là {today}.",
        "Chưa ghi gì cả. Hãy cho ngày muộn hơn, hoặc chỉnh lại đồng hồ máy.",
    ),
    "grant-revoked-already": (
        "The grant '{grant}' was revoked before.",
        "Nothing is to be done.",
        "Quyền chia sẻ '{grant}' đã bị thu hồi trước đó.",
        "Không cần làm gì.",
    ),
    "grant-to-owner": (
        "The case belongs to that office already.",
        "Choose another office.",
        "Hồ sơ vốn thuộc cơ sở đó.",
        "Chọn cơ sở khác.",
    ),
    "identity-needs-contact": (
        "Identity is never shared without the safe-contact rule.",
        "Share 'contact' too.",
        "Không bao giờ chia sẻ danh tính mà thiếu quy tắc liên lạc an toàn.",
        "Chia sẻ thêm ngăn 'contact'.",
    ),
    "may-not-grant": (
        "You may not share this: role, office or reading rights do not allow it.",
        "Ask a colleague of the owning office whose role may share.",
        "Bạn không được chia sẻ: vai trò, cơ sở hoặc quyền đọc không cho phép.",
        "Nhờ đồng nghiệp có quyền chia sẻ ở cơ sở quản lý hồ sơ.",
    ),
    "no-key-for-compartment": (
        "This device holds no key for {compartment}.",
        "Sync; if it stays, ask a colleague of your office for 'casesync member approve'.",
        "Máy này không có khóa của ngăn {compartment}.",
        "Đồng bộ lại; nếu vẫn vậy, nhờ đồng nghiệp chạy 'casesync member approve'.",
    ),
    "unit-without-device": (
        "{unit} has no device yet that could read it.",
        "Invite somebody there first.",
        "{unit} chưa có thiết bị nào để đọc.",
        "Hãy mời người ở cơ sở đó trước.",
    ),
    "unit-suspended": (
        "Every device of {unit} is suspended; none is left that could read it.",
        "Invite somebody there with another device first.",
        "Mọi thiết bị của {unit} đã bị đình chỉ; không còn thiết bị nào để đọc.",
        "Hãy mời người ở cơ sở đó bằng thiết bị khác trước.",
    ),
    # -- administration -----------------------------------------------------------------------
    "device-is-own": (
        "This is the device you are working on.",
        "Another administrator must suspend it.",
        "Đây chính là thiết bị bạn đang dùng.",
        "Người quản trị khác phải đình chỉ nó.",
    ),
    "device-suspended-already": (
        "Device {device} is suspended already.",
        "Nothing is to be done.",
        "Thiết bị {device} đã bị đình chỉ.",
        "Không cần làm gì.",
    ),
    "nobody-to-approve": (
        "Nobody is waiting to be approved.",
        "Invite with 'casesync invite', or ask the newcomer to start 'casesync join'.",
        "Không có ai đang chờ được duyệt.",
        "Mời bằng 'casesync invite', hoặc nhờ người mới chạy 'casesync join'.",
    ),
    "not-administrator": (
        "Only administrators may do this.",
        "'casesync member list' shows who is one.",
        "Chỉ người quản trị mới được làm việc này.",
        "'casesync member list' cho biết ai là người quản trị.",
    ),
    "not-auditor": (
        "Only devices of an audit office can verify the whole log.",
        "'casesync audit mine' shows your own entries.",
        "Chỉ thiết bị của cơ sở kiểm tra mới kiểm tra được toàn bộ sổ truy cập.",
        "'casesync audit mine' hiển thị các mục của bạn.",
    ),
    "suspend-administrator": (
        "An administrator's device cannot be suspended by one person.",
        "Let other offices revoke their grants to its office; README.md says what else helps.",
        "Một người không thể đình chỉ thiết bị của người quản trị.",
        "Hãy để các cơ sở khác thu hồi chia sẻ cho cơ sở của nó; xem thêm README.md.",
    ),
    # -- verdicts on one's own change (membership.md, Verdict) ----------------------------------
    "suspended": (
        "This device is suspended.",
        "Your work is kept here but is sent nowhere; talk to your administrator.",
        "Thiết bị này đã bị đình chỉ.",
        "Dữ liệu vẫn được giữ ở đây nhưng không gửi đi; hãy liên hệ người quản trị.",
    ),
    "no-grant": (
        "Your office has no grant to write in this case.",
        "Ask the owning office to share it with --write.",
        "Cơ sở của bạn không có quyền ghi vào hồ sơ này.",
        "Nhờ cơ sở quản lý chia sẻ với --write.",
    ),
    "grant-revoked": (
        "The grant to your office was revoked.",
        "Talk to the owning office.",
        "Quyền chia sẻ cho cơ sở của bạn đã bị thu hồi.",
        "Hãy liên hệ cơ sở quản lý hồ sơ.",
    ),
    "compartment-not-allowed": (
        "Role or grant do not allow this part of the case.",
        "Ask a colleague whose role does.",
        "Vai trò hoặc quyền chia sẻ không cho phép phần này của hồ sơ.",
        "Nhờ đồng nghiệp có quyền.",
    ),
    "stream-unopened": (
        "The beginning of this case is not here yet.",
        "Run 'casesync sync'.",
        "Phần mở đầu của hồ sơ chưa có ở đây.",
        "Chạy 'casesync sync'.",
    ),
    "case-incomplete": (
        "Earlier entries of this case are still to be fetched, and they say who may read it.",
        "Run 'casesync sync' to its end, then save again.",
        "Các mục trước của hồ sơ này chưa tải về hết, và chúng cho biết ai được đọc hồ sơ.",
        "Chạy 'casesync sync' cho đến khi xong rồi lưu lại.",
    ),
    "base-missing": (
        "Part of this case's rights cannot be read here yet.",
        "Run 'casesync sync'; if it stays, ask a colleague for 'casesync member approve'.",
        "Chưa đọc được một phần thông tin về quyền của hồ sơ này.",
        "Chạy 'casesync sync'; nếu vẫn vậy, nhờ đồng nghiệp chạy 'casesync member approve'.",
    ),
    "statement-missing": (
        "A key this case uses has not arrived yet.",
        "Run 'casesync sync'.",
        "Một khóa của hồ sơ này chưa đến.",
        "Chạy 'casesync sync'.",
    ),
    "statement-invalid": (
        "A key of this case was not made for everybody entitled.",
        "Run 'casesync sync' and try again.",
        "Một khóa của hồ sơ này chưa được cấp cho đủ người có quyền.",
        "Chạy 'casesync sync' rồi thử lại.",
    ),
    "opening-invalid": (
        "The case was not opened as it must be.",
        ADMIN_EN,
        "Hồ sơ không được mở đúng cách.",
        ADMIN_VI,
    ),
    "change-malformed": (
        "The change is malformed.",
        ADMIN_EN,
        "Thay đổi bị sai định dạng.",
        ADMIN_VI,
    ),
    "control-missing": (
        "A newer membership list is needed first.",
        "Run 'casesync sync'.",
        "Cần danh sách thành viên mới hơn trước đã.",
        "Chạy 'casesync sync'.",
    ),
}
