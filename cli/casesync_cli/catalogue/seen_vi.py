"""What a relay stores and what follows from it, in Vietnamese: meaning | conclusion (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "meta.key": "tên một thiết lập | không gì cả",
    "meta.value": "khóa bí mật của sổ trên máy chuyển tiếp | không gì về thành viên mạng lưới",
    "networks.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "networks.network": "mã một mạng lưới (giá trị băm) | có một mạng lưới dùng máy này",
    "networks.control_size": "số mục về thiết bị và khóa | thành viên thay đổi nhiều hay ít",
    "networks.change_size": "số thay đổi đã ghi | khối lượng công việc",
    "networks.log_time_ms": "giờ của mục mới nhất | lần cuối có người làm việc",
    "networks.stored_bytes": "số byte đã lưu | lưu bao nhiêu",
    "control_leaves.place": "mạng lưới và thứ tự | thứ tự các mục",
    "control_leaves.log_time_ms": "giờ mục đến | khi nào thành viên hoặc khóa thay đổi",
    "control_leaves.entry": "một mục: số thiết bị, khóa kiểm chữ ký, luồng nhận; tên và "
    "vai trò bị niêm | "
    "thiết bị nào ký, về thiết bị nào, ai được ký các việc ấy",
    "streams.stream_no": "số ngắn của riêng máy chuyển tiếp cho một dòng | không gì cả",
    "streams.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "streams.stream": "mã một dòng (giá trị băm) | có bao nhiêu hồ sơ, sổ đăng ký và sổ truy cập",
    "streams.opener": "thiết bị đã mở dòng | thiết bị nào bắt đầu hồ sơ hoặc sổ",
    "change_leaves.place": "mạng lưới và thứ tự | thứ tự các thay đổi",
    "change_leaves.log_time_ms": "giờ thay đổi đến | thiết bị nào đồng bộ lúc nào",
    "change_leaves.device": "thiết bị đã ghi | thiết bị nào làm nhiều hay ít",
    "change_leaves.number": "số chạy của thiết bị | nó ghi bao nhiêu khi không có mạng",
    "change_leaves.stream_no": "dòng chứa nó | những thiết bị nào làm cùng một hồ sơ",
    "change_leaves.previous_link": "chuỗi của thiết bị (giá trị băm) | không gì thêm",
    "change_leaves.header": "cỡ, số ngăn và tên khóa của các phần bị niêm; đã thấy ai | "
    "ngăn nào được ghi, khoảng bao nhiêu, ai ghi sau ai",
    "change_leaves.signature": "chữ ký của thiết bị | chính thiết bị này đã ghi",
    "change_leaves.segments": "các phần bị niêm, cùng hộp khóa, liên kết luồng và số ngẫu "
    "nhiên mở đầu để ngỏ | "
    "khóa của hồ sơ gửi cho bao nhiêu cơ sở; nội dung thì chỉ biết cỡ đã đệm",
    "device_leaves.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "device_leaves.device": "thiết bị | như change_leaves.device",
    "device_leaves.number": "số chạy | như change_leaves.number",
    "device_leaves.place": "vị trí | không gì thêm",
    "nodes.tree": "sổ nào | không gì cả",
    "nodes.level": "vị trí trong cây chứng minh | không gì cả",
    "nodes.node": "vị trí trong cây chứng minh | không gì cả",
    "nodes.hash": "giá trị băm của các mục | không gì thêm",
    "feeds.feed_no": "số ngắn của riêng máy chuyển tiếp cho một luồng nhận | không gì cả",
    "feeds.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "feeds.feed": "một luồng nhận (ngẫu nhiên) | có bao nhiêu cơ sở và sổ",
    "feed_links.feed_no": "luồng nhận | những cơ sở nào chung một hồ sơ",
    "feed_links.stream_no": "dòng | những cơ sở nào chung một hồ sơ",
    "feed_links.place": "từ khi nào | việc chia sẻ bắt đầu hoặc kết thúc khi nào",
    "feed_links.linked": "bắt đầu hay kết thúc | việc chia sẻ bắt đầu hoặc kết thúc khi nào",
    "feed_leaves.feed_no": "luồng nhận | một cơ sở được gửi bao nhiêu",
    "feed_leaves.place": "thay đổi | một cơ sở được gửi bao nhiêu",
    "devices.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "devices.device": "số thiết bị | có bao nhiêu thiết bị",
    "devices.newest_number": "thay đổi mới nhất của nó | nó đã ghi bao nhiêu",
    "devices.newest_link": "chuỗi của nó (giá trị băm) | không gì thêm",
    "devices.counter": "số yêu cầu nó đã gửi | nó đồng bộ thường xuyên ra sao",
    "devices.quota_day": "ngày của hạn mức | lần cuối nó gửi",
    "devices.quota_bytes": "số byte nó gửi ngày ấy | nó ghi bao nhiêu ngày ấy",
    "blobs.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "blobs.name": "tên một khối (giá trị băm) | không gì thêm",
    "blobs.body": "khóa công khai, lược đồ và vai trò bị niêm, gói khóa chỉ "
    "thiết bị của nó mở được | "
    "bao nhiêu thiết bị nhận khóa mới cùng lúc",
    "rendezvous.handle": "số ngắn của riêng máy chuyển tiếp cho một mạng lưới | không gì cả",
    "rendezvous.invitation": "một lời mời (giá trị băm) | có người đang được ghi danh",
    "rendezvous.device": "thiết bị mời | ai ghi danh cho người khác",
    "rendezvous.expires_ms": "khi nào hết hạn | lời mời được lập khi nào",
    "rendezvous.slot1": "lời nhắn bị niêm của người tham gia | việc ghi danh đến đâu",
    "rendezvous.slot2": "lời nhắn bị niêm của người mời | việc ghi danh đến đâu",
    "rendezvous.slot3": "lời nhắn bị niêm của người tham gia | việc ghi danh đến đâu",
    "rendezvous.slot4": "lời nhắn bị niêm của người mời | việc ghi danh đến đâu",
}
