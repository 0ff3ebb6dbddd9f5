"""Help in Vietnamese: commands by path, options by ``PATH --name`` or ``--name`` (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "usage": "Cách dùng:",
    "options": "Tùy chọn",
    "commands": "Lệnh",
    "required": "bắt buộc",
    "default": "mặc định: {value}",
    "casesync": "Chia sẻ hồ sơ giữa các cơ sở, mã hóa đầu cuối, dùng được cả khi không có mạng.",
    "--help": "Hiện trợ giúp này rồi thoát.",
    "--home": "Thư mục của bản sao này; nếu không có thì là nơi hệ thống giữ dữ liệu người dùng.",
    "--json": "Ghi ra một tài liệu JSON thay cho chữ cho người đọc.",
    "--lang": "Ngôn ngữ của thông báo; nếu không chọn thì theo hệ thống.",
    "--verbose": "Hiện nơi phát sinh lỗi.",
    "--passphrase_file": "Đọc mật khẩu từ dòng đầu của tệp này "
    "(nếu không có thì CASESYNC_PASSPHRASE, nếu không nữa thì hỏi).",
    # demo
    "demo": "Ba cơ sở cùng chia sẻ một hồ sơ: một câu chuyện ngắn với các tiến trình thật.",
    "demo --keep": "Giữ lại máy chuyển tiếp và mọi bản sao trong thư mục này.",
    "demo --cases": "Số hồ sơ mà nhà tạm lánh mở.",
    # relay
    "relay": "Máy chuyển tiếp ở giữa, không đọc được gì.",
    "relay serve": "Chạy máy chuyển tiếp; dừng gọn khi nhận SIGTERM.",
    "relay serve --host": "Địa chỉ lắng nghe.",
    "relay serve --port": "Cổng lắng nghe; 0 là lấy một cổng trống.",
    "relay serve --print_key": "In khóa của máy chuyển tiếp để báo cho các máy khách.",
    "relay serve --networks_max": "Số mạng lưới được lập ở đây nhiều nhất.",
    "relay serve --tls_cert": "Chứng chỉ TLS, dạng tệp PEM.",
    "relay serve --tls_key": "Khóa riêng của chứng chỉ.",
    "relay status": "Đếm những gì cơ sở dữ liệu của máy chuyển tiếp đang giữ.",
    "relay what-it-sees": "Liệt kê mọi loại dữ liệu máy chuyển tiếp lưu, kèm ví dụ từ chính cơ sở "
    "dữ liệu của nó.",
    "--db": "Tệp cơ sở dữ liệu của máy chuyển tiếp.",
    # network and membership
    "network": "Mạng lưới.",
    "network create": "Lập một mạng lưới với thiết bị này, cơ sở của nó và thành viên đầu tiên.",
    "network create --relay": "Địa chỉ máy chuyển tiếp, ví dụ https://relay.example.org.",
    "network create --relay_key": "Khóa của máy chuyển tiếp như 'relay serve --print-key' hiện ra.",
    "network create --unit": "Tên cơ sở này; nếu không có thì lấy tên mạng lưới.",
    "network create --type": "Loại cơ sở: nhà tạm lánh (shelter), văn phòng một cửa "
    "(osso), Hội Phụ nữ (union), bên cung cấp dịch vụ (provider), cơ sở kiểm tra (audit).",
    "network create --role": "Vai trò của bạn.",
    "network create --member_name": "Tên của bạn; nếu không có thì lấy tên cơ sở.",
    "--device_label": "Tên gọi của thiết bị này.",
    "--plain_http": "Cho phép http đến máy chuyển tiếp ở máy khác; nội dung vẫn bị niêm, nhưng "
    "người trên đường truyền thấy thiết bị nào nói chuyện lúc nào.",
    "unit": "Các cơ sở.",
    "unit add": "Thêm một cơ sở vào mạng lưới.",
    "unit add --unit_type": "Loại cơ sở.",
    "unit add --parent": "Cơ sở cấp trên.",
    "unit list": "Liệt kê các cơ sở.",
    "invite": "Mời người; không có động từ thì là invite create.",
    "invite create": "Tạo lời mời cho thiết bị của một người (mặc định).",
    "invite create --unit": "Cơ sở nơi người ấy làm việc.",
    "invite create --role": "Vai trò, bằng tên hay mã: cán bộ hồ sơ (caseworker), tư vấn viên "
    "(counsellor), cán bộ y tế hoặc tâm lý (clinician), cán bộ Hội Phụ nữ (officer), cộng tác viên "
    "thăm hộ (visitor), giám sát viên (supervisor), cán bộ chương trình (programme), kiểm tra viên "
    "(auditor), bên cung cấp dịch vụ (provider), người vận hành (operator).",
    "invite create --administrator": "Người ấy được mời người khác và đình chỉ thiết bị.",
    "invite create --lifetime": "Lời mời có giá trị bao lâu, ví dụ 2d; nếu không ghi thì 7d.",
    "invite list": "Liệt kê các lời mời của thiết bị này.",
    "invite cancel": "Làm cho lời mời mất giá trị.",
    "join": "Tham gia mạng lưới bằng lời mời; chỉ 'casesync join' thì làm tiếp việc đang dở.",
    "join --name": "Tên của bạn như đồng nghiệp biết; cần khi bắt đầu.",
    "--no_wait": "Làm những gì làm được ngay, báo trạng thái rồi kết thúc; nếu không ghi thì chờ "
    "phía bên kia.",
    "member": "Con người.",
    "member approve": "Cho người được mời vào bằng mã trên màn hình của họ, hoặc trao khóa cho "
    "đồng nghiệp đã được người khác cho vào.",
    "member approve --code": "Mã trên màn hình bên kia; nếu không ghi thì hỏi.",
    "member list": "Liệt kê các thành viên.",
    "device": "Các thiết bị.",
    "device list": "Liệt kê các thiết bị.",
    "device suspend": "Chặn một thiết bị bị mất hoặc bị lấy cắp.\nViệc này không hoàn lại được. "
    "Một người không thể đình chỉ thiết bị của người quản trị: thay vào đó, các cơ sở khác thu hồi "
    "chia sẻ cho cơ sở của nó; nếu nó có thể đang mở, hãy cho dừng máy chuyển tiếp.",
    "device suspend --reason": "Lý do; lưu trong sổ kiểm soát cho thành viên mạng lưới.",
    "device suspend --yes": "Không hỏi lại.",
    "whoami": "Thiết bị này thay mặt ai.",
    # cases
    "case": "Hồ sơ.",
    "case new": "Mở một hồ sơ và in mã của nó.",
    "case new --kinds": "Loại hồ sơ; có thể ghi nhiều lần.",
    "case new --sets": "Một giá trị ban đầu; có thể ghi nhiều lần.",
    "case list": "Liệt kê hồ sơ, thay đổi mới nhất trước.",
    "case list --filters": "Chỉ hồ sơ có trường mang giá trị này, ví dụ case.status=open; "
    "có thể ghi nhiều lần.",
    "--limit": "Nhiều nhất bấy nhiêu.",
    "--after": "Tiếp tục sau hồ sơ này.",
    "--purpose": "Mục đích truy cập, như sổ truy cập sẽ ghi; mỗi vai trò có mặc định.",
    "case find": "Tìm hồ sơ; có thể gõ không dấu.",
    "case show": "Hiện hồ sơ trong phạm vi thiết bị này được xem.",
    "case history": "Hiện mọi lần ghi của hồ sơ, kể cả đã bị thay.",
    "case history --field": "Chỉ trường này.",
    "case history --limit": "Nhiều nhất bấy nhiêu, phần mới nhất; nếu không: 50, --json: tất cả.",
    "case history --after": "Tiếp tục với phần cũ hơn trang đã nêu mã này.",
    "case set": "Đặt trường: LOẠI[/MÃ].TRƯỜNG=GIÁ_TRỊ, += và -= cho tập hợp, "
    "TRƯỜNG[PHẦN_TỬ].MỤC=GIÁ_TRỊ.",
    "case unset": "Bỏ trống các trường.",
    "case import": "Lưu một bảng tính (CSV UTF-8): mỗi hàng là một lần lưu.\n"
    "Hàng đầu tiên ghi 'case' và các trường như person.given_name; person.phones+ thêm vào tập "
    "hợp. Các hồ sơ phải có sẵn ở đây. Ô trống không thay đổi gì. Nếu có chỗ sai thì không lưu gì, "
    "và nêu rõ hàng, cột. '-' đọc từ đầu vào chuẩn.",
    "case import --dry_run": "Chỉ kiểm tra, không lưu gì.",
    "--resolve": "Quyết định luôn các xung đột đang mở ở những trường này.",
    "--base": "Sửa trên những gì 'case show' đã hiện với thẻ này, không phải những gì đến sau.",
    "record": "Bản ghi của hồ sơ.",
    "record add": "Thêm một bản ghi vào hồ sơ và in mã của nó.",
    "record list": "Liệt kê các bản ghi một loại của hồ sơ.",
    "record amend": "Đính chính một mục bằng một mục mới nêu tên nó.",
    "conflict": "Những gì cần con người quyết định.",
    "conflict list": "Liệt kê các xung đột đang mở.",
    "conflict show": "Hiện ai đã ghi gì, ở đâu và khi nào.",
    "conflict resolve": "Quyết định một xung đột; quyết định mang tên bạn.",
    "conflict resolve --value": "Giá trị sẽ được tính.",
    "conflict resolve --reason": "Lý do; lưu trong sổ truy cập, cho người kiểm tra.",
    # sharing
    "consent": "Sự đồng ý của người trong cuộc.",
    "consent give": "Ghi nhận sự đồng ý và in mã của nó.",
    "--unit": "Cơ sở.",
    "--compartments": "Các ngăn, bằng tên hay mã, cách nhau bằng dấu phẩy: nhân thân (identity), "
    "bảo vệ (protection), sức khỏe (health), sinh kế (livelihood), quy tắc liên lạc (contact), "
    "điều phối (operations), thống kê (statistics).",
    "consent give --purpose": "Để làm gì, bằng tên hay mã: nhận dịch vụ hỗ trợ (service), chia sẻ "
    "với tổ chức khác (share_with_org), báo cáo không nhận dạng (report_nonidentifiable), nghiên "
    "cứu (research), câu chuyện truyền thông (media_story), liên lạc về sau (later_contact), liên "
    "lạc với gia đình (family_contact).",
    "consent give --notice": "Tệp chứa nguyên văn thông báo đã đọc cho người ấy.",
    "consent give --form": "Hình thức: bằng văn bản (written), ghi âm (voice), chữ ký điện tử "
    "(e_sign), cách khác có thể kiểm chứng (other_verifiable).",
    "--until": "Ngày cuối còn hiệu lực, dd/mm/yyyy, đến hết ngày ở Việt Nam; nếu không ghi thì "
    "không có hạn.",
    "consent withdraw": "Ghi nhận sự đồng ý đã được rút lại; có hiệu lực ngay.",
    "consent show": "Liệt kê các sự đồng ý của hồ sơ.",
    "grant": "Chia sẻ hồ sơ với cơ sở khác; không có động từ thì là grant give.",
    "grant give": "Chia sẻ các ngăn của một hồ sơ (mặc định).",
    "grant give --purpose": "Để làm gì; phải là mục đích của sự đồng ý.",
    "grant give --consent": "Mã của sự đồng ý làm căn cứ.",
    "grant give --until": "Ngày cuối còn hiệu lực, dd/mm/yyyy, đến hết ngày ở Việt Nam; nếu "
    "không ghi thì theo sự đồng ý.",
    "grant give --write": "Cơ sở kia được ghi.",
    "grant give --history": "Chia sẻ cả các phiên bản cũ.",
    "grant list": "Liệt kê các quyền chia sẻ, của một hồ sơ hoặc tất cả.",
    "grant revoke": "Chấm dứt chia sẻ; khóa mới bắt đầu từ lần ghi sau.",
    # sync and health
    "sync": "Trao đổi thay đổi với máy chuyển tiếp.",
    "outbox": "Liệt kê những gì máy chuyển tiếp chưa xác nhận.",
    "status": "Cho biết bản sao này đang ở đâu.",
    "quarantine": "Những thay đổi không được tính.",
    "quarantine list": "Liệt kê các thay đổi (chưa) được tính.",
    "quarantine show": "Cho biết vì sao một thay đổi không được tính.",
    "audit": "Sổ truy cập.",
    "audit list": "Liệt kê ai đã xem gì, khi nào và vì sao.",
    "audit list --case": "Chỉ hồ sơ này.",
    "audit list --member": "Chỉ thành viên này.",
    "audit list --device": "Chỉ thiết bị này.",
    "audit list --limit": "Nhiều nhất bấy nhiêu, phần mới nhất; nếu không: 50, --json: tất cả.",
    "audit list --after": "Tiếp tục với phần cũ hơn trang đã nêu mã này.",
    "audit verify": "Kiểm tra sổ truy cập; kết thúc với mã 6 nếu có gì mâu thuẫn.",
    "audit verify --offline": "So với những gì lưu ở đây, không so với máy chuyển tiếp.",
    "audit mine": "Liệt kê các mục truy cập của chính thiết bị này.",
    "audit mine --limit": "Nhiều nhất bấy nhiêu, phần mới nhất; nếu không: 50, --json: tất cả.",
    "audit mine --after": "Tiếp tục với phần cũ hơn trang đã nêu mã này.",
    "schema": "Bản ghi trông như thế nào.",
    "schema list": "Liệt kê các loại bản ghi.",
    "schema show": "Hiện các trường của một loại bản ghi.",
    "doctor": "Kiểm tra bản sao này và máy chuyển tiếp, và cho biết phải làm gì.",
    "bench": "Đo trên dữ liệu bịa xem máy này gộp, niêm phong và lưu nhanh đến đâu.",
    "bench --workload": "Ghi những gì: biểu mẫu, các lượt ghi, một bản ghi nhiều người sửa, "
    "cả kho hồ sơ, các lần gửi lên máy chuyển tiếp, ...",
    "bench --size": "Bao nhiêu lần ghi ô dữ liệu; mỗi trường của một lần lưu là một lần ghi.",
    "bench --seed": "Cùng một hạt giống thì cùng một dữ liệu.",
    "bench --runs": "Mỗi bước chạy mấy lần; hiện giá trị trung vị. "
    "Gửi lên máy chuyển tiếp chỉ chạy một lần.",
    "bench --folder": "Nơi đặt cơ sở dữ liệu trong khi đo.",
    # passphrase
    "unlock": "Giữ bản sao này mở một lúc để khỏi phải gõ mật khẩu.",
    "unlock --span": "Bao lâu, ví dụ 15m hoặc 2h.",
    "lock": "Kết thúc việc unlock đã bắt đầu.",
    "passphrase": "Mật khẩu của bản sao này.",
    "passphrase change": "Đổi mật khẩu.",
    "passphrase change --new_passphrase_file": "Đọc mật khẩu mới từ dòng đầu của tệp này "
    "(nếu không có thì CASESYNC_NEW_PASSPHRASE, nếu không nữa thì hỏi).",
    # what stands for a word to be typed
    "<ADDRESS>": "ĐỊA_CHỈ",
    "<ARGS>": "THAM_SỐ",
    "<CASE>": "HỒ_SƠ",
    "<CODE>": "MÃ_XÁC_NHẬN",
    "<COMMAND>": "LỆNH",
    "<COUNT>": "SỐ_LƯỢNG",
    "<DATE>": "NGÀY",
    "<DEVICE>": "THIẾT_BỊ",
    "<DIR>": "THƯ_MỤC",
    "<FIELD>": "TRƯỜNG",
    "<FILE>": "TỆP",
    "<FORM>": "HÌNH_THỨC",
    "<ID>": "MÃ",
    "<INVITATION>": "LỜI_MỜI",
    "<KEY>": "KHÓA",
    "<KIND>": "DẠNG",
    "<NAME>": "TÊN",
    "<NUMBER>": "SỐ",
    "<OPTIONS>": "TÙY_CHỌN",
    "<PORT>": "CỔNG",
    "<PURPOSE>": "MỤC_ĐÍCH",
    "<ROLE>": "VAI_TRÒ",
    "<TEXT>": "VĂN_BẢN",
    "<TIME>": "THỜI_GIAN",
    "<TOKEN>": "THẺ",
    "<TYPE>": "LOẠI",
    "<UNIT>": "CƠ_SỞ",
    "<URL>": "ĐỊA_CHỈ_WEB",
    "<VALUE>": "GIÁ_TRỊ",
    "<WRITES>": "SỐ_LẦN_GHI",
}
