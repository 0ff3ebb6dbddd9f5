"""Facts, findings and reasons, in Vietnamese (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # facts (client/views.py, FACTS)
    "waiting-for-change": "đang chờ thay đổi số {number} của {unit}",
    "waiting-for-unit": "đang chờ {unit}",
    "waiting-for-control": "đang chờ sổ kiểm soát mới hơn; chạy 'casesync sync'",
    "waiting-for-stream": "đang chờ phần đầu của hồ sơ; chạy 'casesync sync'",
    "waiting-for-key": "đang chờ {unit}: chưa có khóa cho {compartment}",
    "backfill-owed": "còn thay đổi cũ chưa tải; chạy 'casesync sync'",
    "before-grant": "những gì {unit} ghi trước khi chia sẻ cho bạn không được chia sẻ",
    "reported-not-admitted": "có báo, chưa được thừa nhận: {field} = {value}",
    "newer-schema": "{type} từ phiên bản mới hơn, hiện nguyên trạng",
    "access-pending": "{count} mục sổ truy cập sẽ đi cùng lần đồng bộ sau",
    "relay-contradicted": "câu trả lời gần nhất của máy chuyển tiếp mâu thuẫn với nhật ký của nó "
    "({reason}); không nhận gì từ đó, hãy báo người quản trị",
    "outbox-pending": "máy chuyển tiếp chưa xác nhận {count} thay đổi",
    "behind-checkpoint": "còn {count} thay đổi ở máy chuyển tiếp chưa về đây",
    "backfills-pending": "còn {count} hồ sơ thiếu thay đổi cũ",
    "push-stopped": "không gửi gì nữa: {reason}; chạy 'casesync doctor'",
    "push-stopped.device-restored": "không gửi gì nữa: máy chuyển tiếp nói nó giữ thay đổi của "
    "thiết bị này mà ở đây không có, tức thư mục này đã bị khôi phục hoặc sao chép. Hãy đồng bộ "
    "lại. Nếu vẫn vậy, giữ nguyên thư mục, nhờ người quản trị đình chỉ thiết bị này và mời lại "
    "bạn, chạy 'casesync join' với --home khác, rồi ghi lại ở đó những gì chưa gửi",
    "push-stopped.device-forked": "không gửi gì nữa: máy chuyển tiếp giữ thay đổi khác dưới số của "
    "thiết bị này, tức thư mục này đã bị khôi phục hoặc sao chép. Nếu là bản sao, hãy làm việc ở "
    "thư mục gốc. Nếu không, giữ nguyên thư mục, nhờ người quản trị đình chỉ thiết bị này và mời "
    "lại bạn, chạy 'casesync join' với --home khác, rồi ghi lại ở đó những gì chưa gửi",
    "push-stopped.database-rolled-back": "không gửi gì nữa: cơ sở dữ liệu cũ hơn tệp 'anchor' bên "
    "cạnh, hoặc thiếu tệp ấy: có gì đó đã bị khôi phục, sao chép hay chuyển đi. Nếu các tệp mới "
    "hơn nằm ở nơi khác, hãy để lại chỗ cũ. Nếu không, giữ nguyên thư mục, nhờ người quản trị "
    "đình chỉ thiết bị này và mời lại bạn, chạy 'casesync join' với --home khác, rồi ghi lại ở đó "
    "những gì chưa gửi",
    "push-stopped.anchor-damaged": "không gửi gì nữa: tệp 'anchor' của bản sao này bị hỏng. Đừng "
    "xóa tệp; hãy báo cho người quản trị",
    "device-suspended": "thiết bị này đã bị đình chỉ: máy chuyển tiếp không nhận gì từ nó và không "
    "đưa gì cho nó; những gì chưa gửi ở lại đây và không bao giờ được gửi. Hãy liên hệ người quản "
    "trị",
    "colleague-needed": "đồng nghiệp cần chạy 'casesync member approve' thì bạn mới đọc được: "
    "{compartments}",
    "disk-nearly-full": "ổ đĩa này chỉ còn {megabytes} MB; hãy giải phóng dung lượng trước khi "
    "không lưu và đồng bộ được nữa",
    "access-reserve-missing": "chỗ trống dành cho sổ truy cập đã dùng hết hoặc chưa tạo được: khi "
    "ổ đĩa đầy sẽ không xem được hồ sơ nào; hãy giải phóng dung lượng",
    "folder-copied": "máy chuyển tiếp đã thấy yêu cầu muộn hơn của máy này: thư mục này đã được "
    "khôi phục hay sao chép. Nếu là bản sao, hãy làm việc ở thư mục gốc và đừng bao giờ đồng bộ từ "
    "đây. Nếu đã khôi phục, hãy chạy 'casesync sync' lần nữa: lệnh cho biết ở đây có thiếu gì đã "
    "viết sau đó không, và khi ấy không gửi gì",
    "colleague-waits": "{member} (thiết bị {device}) chưa đọc được: hãy chạy "
    "'casesync member approve'",
    "unit-one-device": "{unit} chỉ có một thiết bị: nếu mất, những gì chỉ nó đọc được sẽ mất; "
    "hãy thêm thiết bị thứ hai",
    "network-one-administrator": "mạng lưới chỉ có một người quản trị; hãy mời người thứ hai với "
    "--administrator",
    "no-witnesses": "chưa có nhân chứng: máy chuyển tiếp có thể cho xem hai lịch sử; hai cơ sở "
    "cùng đồng bộ rồi đọc mã đối chiếu cho nhau qua điện thoại: khi số mục kiểm soát và số thay "
    "đổi bằng nhau thì các chữ số phải giống nhau, nếu khác thì hãy dừng và báo cho người quản trị",
    "no-audit-unit": "chưa có cơ sở kiểm tra: sổ truy cập đang chờ trên các thiết bị",
    "clock-skew": "đồng hồ máy này lệch {minutes} phút; hãy chỉnh lại",
    "role-not-held": "không thiết bị nào của {unit} thay được khóa của nó",
    "suspend-sole-device": "đây là thiết bị duy nhất của {unit}: những gì chỉ cơ sở này đọc được "
    "phải chờ khôi phục, phiên bản này chưa có",
    "suspend-rotates-now": "khóa của {unit} sẽ được thay trong cùng bước",
    "suspend-rotates-later": "khóa của {unit} sẽ được thay bởi thiết bị đồng bộ đầu tiên của cơ sở",
    "suspend-unsent-lost": "những gì thiết bị {device} chưa gửi sẽ không được tính",
    "risk-without-assessment": "mức nguy cơ chưa có đánh giá nguy cơ",
    "late-entry": "mục muộn: {type} được ghi khi chưa biết hồ sơ đã đóng",
    "approval-again": "bị sửa song song với phê duyệt: cần phê duyệt lại",
    "illegal-step": "{field}: bước này không nằm trong các bước đã định",
    "integrity-conflict": "{field}: chỉ ghi một lần nhưng có nhiều giá trị",
    # reasons in quarantine (protocol/membership.md, Verdict)
    "reason.device-unknown": "thiết bị chưa được ghi danh khi ghi",
    "reason.control-missing": "cần sổ kiểm soát mới hơn; chạy 'casesync sync'",
    "reason.suspended": "thiết bị đã bị đình chỉ trước khi thay đổi này đến",
    "reason.stream-unopened": "phần đầu của hồ sơ chưa về đây",
    "reason.opening-invalid": "hồ sơ được mở theo cách không được phép",
    "reason.base-missing": "chưa mở được các thay đổi quản lý trước đó của hồ sơ",
    "reason.base-unreadable": "chưa mở được phần quản lý của thay đổi này; hộp khóa mà người viết "
    "gửi cho cơ sở này bị thiếu hoặc rỗng",
    "reason.no-grant": "cơ sở không có quyền ghi vào hồ sơ này",
    "reason.grant-revoked": "việc chia sẻ đã chấm dứt trước khi thay đổi này đến; hãy cùng cơ sở "
    "ấy quyết định",
    "reason.compartment-not-allowed": "vai trò hoặc quyền chia sẻ không cho ghi ngăn này",
    "reason.statement-missing": "khóa dùng để niêm chưa được giới thiệu",
    "reason.statement-invalid": "nó giới thiệu khóa theo cách không được phép",
    "reason.copied-device": "hai thay đổi cùng số: thiết bị được khôi phục hoặc bị sao chép",
    "reason.signature-missing": "chưa có chữ ký nào chứng minh tác giả",
    "reason.author-unproven": "không có chữ ký nào chứng minh tác giả, và phần tiếp theo không "
    "được gửi đến cơ sở này",
    "reason.change-malformed": "nội dung sai định dạng",
    "reason.no-key": "thiết bị này không có khóa cho nó",
    "reason.copies-not-allowed": "chép lại lời người khác mà cơ sở của người viết không được chép",
    "reason.copy-differs": "chép lại lời người khác nhưng sai với bản gốc; ở đây bản gốc được "
    "tính, nhưng cơ sở được chia sẻ có thể thấy bản sai: hãy thu hồi rồi chia sẻ lại",
    "reason.field-not-allowed": "có trường không thuộc ngăn mà nó được ghi vào",
    "reason.segment-does-not-open": "một phần bị niêm không mở được bằng khóa của nó",
    "reason.segment-malformed": "bên trong một phần bị niêm sai định dạng",
    # findings of doctor that are neither facts nor errors
    "finding.database-current": "cơ sở dữ liệu không cũ hơn những gì thiết bị này biết lần cuối",
    "finding.database-sound": "mọi trang của cơ sở dữ liệu đều qua kiểm tra",
    "finding.relay-reachable": "máy chuyển tiếp trả lời và đúng khóa đã ghim",
    "finding.relay-key-changed": "một máy chuyển tiếp khác trả lời ở địa chỉ này: khóa không phải "
    "khóa đã ghim. Không gửi gì cho nó; hãy so với 'casesync relay serve --print-key' tại máy đó",
    "finding.database-opens": "cơ sở dữ liệu mở được bằng khóa của nó",
    "finding.vault-sound": "khóa của cơ sở dữ liệu mở được bằng mật khẩu này",
    "finding.anchor-sound": "tệp 'anchor' còn nguyên vẹn",
    "finding.anchor-missing": "thiếu tệp 'anchor' của bản sao này; không có nó thì không ai biết "
    "cơ sở dữ liệu có phải bản mới nhất không, nên không ghi và không gửi gì. Nếu tệp đã được "
    "chuyển đi, hãy để lại chỗ cũ; nếu không, giữ nguyên thư mục và xin lời mời mới cho máy này.",
    "finding.relay-unchecked": "chưa xem máy chuyển tiếp và những gì chưa gửi: bản sao không mở "
    "được",
    "finding.database-corrupt": "có trang của cơ sở dữ liệu không qua kiểm tra. Ngừng làm việc ở "
    "đây và giữ nguyên thư mục; dữ liệu đã gửi vẫn an toàn ở máy chuyển tiếp. Nhờ người quản trị "
    "đình chỉ thiết bị này và mời lại bạn, rồi chạy 'casesync join' với --home khác. Những gì "
    "chưa gửi phải ghi lại ở đó; bản chép cũ của thư mục không dùng được, nó sẽ không gửi gì",
    "finding.database-does-not-open": "cơ sở dữ liệu không mở được: tệp 'replica.db' bị hỏng "
    "hoặc bị thay. Nếu tệp bị chuyển đi, hãy đặt lại; nếu không, giữ nguyên thư mục, nhờ người "
    "quản trị đình chỉ thiết bị này và mời lại bạn, rồi chạy 'casesync join' với --home khác",
    "finding.push-stopped": "máy chuyển tiếp từ chối một thay đổi của máy này ({reason}) nên "
    "không gửi gì nữa. Hãy báo từ này cho người quản trị; vẫn làm việc được ở đây, nhưng không "
    "đến được ai",
    "finding.keep": "Giữ nguyên thư mục và báo cho người quản trị những gì danh sách này nêu.",
    # what an audit found (access/audit.py, FindingCode)
    "audit.change-missing": "thiếu một thay đổi nằm giữa hai thay đổi khác",
    "audit.change-repeated": "hai thay đổi mang cùng một số",
    "audit.chain-broken": "một thay đổi không nối tiếp chuỗi của thiết bị",
    "audit.signature-invalid": "không có chữ ký nào của thiết bị chứng minh một thay đổi",
    "audit.segment-unreadable": "có những mục mà thiết bị này không có khóa để đọc",
    "audit.segment-malformed": "một phần bị niêm sai định dạng",
    "audit.entry-malformed": "một mục sai định dạng",
    "audit.entries-missing": "thiếu mục",
    "audit.entries-repeated": "mục đến hai lần",
    "audit.entry-chain-broken": "một mục không nối tiếp mục trước",
    "audit.contradicts-earlier": "một mục khác với mục đã được cho xem trước đây",
    "audit.entries-withdrawn": "những mục đã cho xem trước đây nay không còn",
    "audit.author-mismatch": "thành viên, vai trò hoặc cơ sở không phải như trong sổ kiểm soát",
    "audit.control-size-impossible": "một mục nêu cỡ sổ kiểm soát không thể có",
    "audit.late": "được ghi hoặc gửi sau khi bị đình chỉ",
}
