"""What people read of the relay, membership, enrolment and the demo (foundation)."""

from __future__ import annotations

from typing import Final

from casesync.foundation.error_text import Text

NETWORK_TEXTS: Final[dict[str, Text]] = {
    # relay and network (exit 3, 4, 5, 6)
    "relay-unreachable": Text(
        "The relay cannot be reached.",
        "Check its address and the internet connection, and run this command again later; what "
        "needs no relay goes on meanwhile.",
        "Không kết nối được máy chuyển tiếp.",
        "Hãy kiểm tra địa chỉ máy chuyển tiếp và mạng rồi chạy lại lệnh này sau; việc không cần "
        "máy chuyển tiếp vẫn làm được.",
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
        "The relay's database cannot be used: disk full, unreadable or in use.",
        "Free space on the disk, or stop the other relay that uses this file.",
        "Không dùng được cơ sở dữ liệu của máy chuyển tiếp: đĩa đầy, không đọc được hoặc đang bận.",
        "Hãy giải phóng đĩa, hoặc dừng máy chuyển tiếp khác đang dùng tệp này.",
    ),
    "relay-store-damaged": Text(
        "The relay's database is damaged, or this is none.",
        "Stop the relay, keep the file, look after the disk and tell the networks' administrators: "
        "an older copy of the file would look like a relay that hides what came since.",
        "Cơ sở dữ liệu của máy chuyển tiếp bị hỏng, hoặc đây không phải cơ sở dữ liệu.",
        "Hãy dừng máy chuyển tiếp, giữ tệp, kiểm tra đĩa và báo người quản trị các mạng lưới: bản "
        "chép cũ của tệp sẽ giống như máy chuyển tiếp giấu những gì đến sau.",
    ),
    "relay-damaged": Text(
        "The relay says that its database is damaged; it cannot serve.",
        "Your replica is whole and work goes on here; tell whoever runs the relay.",
        "Máy chuyển tiếp báo cơ sở dữ liệu của nó bị hỏng nên không phục vụ được.",
        "Dữ liệu ở đây vẫn nguyên và vẫn làm việc được; hãy báo người vận hành máy chuyển tiếp.",
    ),
    "relay-store-newer": Text(
        "A newer version of the relay wrote this database.",
        "Install the newer version.",
        "Cơ sở dữ liệu này do phiên bản mới hơn của máy chuyển tiếp ghi.",
        "Hãy cài phiên bản mới hơn.",
    ),
    "relay-store-older": Text(
        "An older version of the relay wrote this database.",
        "Start 'casesync relay serve' once: it carries the database over.",
        "Cơ sở dữ liệu này do phiên bản cũ hơn của máy chuyển tiếp ghi.",
        "Hãy chạy 'casesync relay serve' một lần: lệnh này chuyển đổi cơ sở dữ liệu.",
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
    "blob-withheld": Text(
        "The relay does not give a part of the membership log that an entry names ({blob}).",
        "Keep everything as it is and tell your administrator and whoever runs the relay.",
        "Máy chuyển tiếp không đưa ra một phần của sổ kiểm soát mà một mục đã ghi tên ({blob}).",
        "Giữ nguyên mọi thứ và báo cho người quản trị và người vận hành máy chuyển tiếp.",
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
    "invitation-time": Text(
        "An invitation is good for at most {days} days.",
        "Give a shorter time, such as 'invite --for 7d'.",
        "Lời mời có hiệu lực nhiều nhất {days} ngày.",
        "Hãy cho thời gian ngắn hơn, ví dụ 'invite --for 7d'.",
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
