"""The demo's story, in Vietnamese (cli)."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # chapters
    "chapter.founding": "Ba cơ sở và một kiểm tra viên lập mạng lưới",
    "chapter.offline": "Mất đường truyền, mọi người vẫn làm việc",
    "chapter.conflict": "Hai đồng nghiệp sửa cùng những mục",
    "chapter.sharing": "Một sự đồng ý, và hai ngăn của một hồ sơ",
    "chapter.revoking": "Chị ấy đổi ý",
    "chapter.theft": "Một máy bị lấy cắp",
    "chapter.audit": "Ai đã xem hồ sơ này?",
    "chapter.blindness": "Máy chuyển tiếp biết những gì?",
    # the story
    "tell.opening": "Câu chuyện có một máy chuyển tiếp, năm máy tính và {cases} hồ sơ bịa. Tiến "
    "trình nào cũng thật, không người nào có thật.",
    "tell.relay": "Máy chuyển tiếp là một tiến trình riêng (số {pid}, {url}). Nó lưu và chuyển; "
    "không có gì trong đó mở được thứ gì.",
    "tell.founded": "{member} ở '{unit}' lập '{network}', thêm một OSSO, một hội phụ nữ huyện và "
    "một ban kiểm tra, rồi mời bốn đồng nghiệp. Màn hình mỗi người mới hiện một mã; {member} gõ "
    "lại điều nghe được qua điện thoại.",
    "tell.line-down": "Bão: máy chuyển tiếp ngừng. Không ai đồng bộ được.",
    "tell.written": "{member} mở {count} hồ sơ, hồ sơ nào cũng được ghi chắc trước khi sang hồ sơ "
    "sau ({seconds} giây). Những người khác mở vài hồ sơ của mình.",
    "tell.kept": "{count} thay đổi nằm chờ trên bốn máy cho đến khi có đường truyền.",
    "tell.line-up": "Máy chuyển tiếp chạy lại, trên cùng cơ sở dữ liệu.",
    "tell.found": "{member} gõ '{typed}', không dấu, và thấy {name} ({case}) do đồng nghiệp ghi.",
    "tell.edited": "Lại mất đường truyền. {one} và {other} cùng mở hồ sơ {case} và cùng sửa mức "
    "độ nguy cơ, quy tắc liên lạc và cách viết tên. OSSO và hội phụ nữ ghi vào hồ sơ của mình.",
    "tell.disputed": "Đồng bộ xong, cả hai máy cho thấy chỗ bất đồng trong hồ sơ {case}:",
    "tell.counts": "Cho đến khi có người quyết định, giá trị an toàn hơn có hiệu lực: {value}.",
    "tell.decided": "{member} quyết định và đứng tên: '{reason}'.",
    "tell.consent": "Chị ấy đồng ý để '{unit}' biết cách liên lạc. Lời đã đọc cho chị ấy nghe "
    "được giữ lại (sự đồng ý {id}): '{notice}'",
    "tell.granted": "Dựa trên sự đồng ý đó, {member} chia sẻ hai ngăn với '{unit}', được phép ghi "
    "(quyền {id}).",
    "tell.osso-sees": "{member} thấy cách liên lạc với chị ấy ('{rule}'; {safe}) và việc hỗ trợ "
    "đã đến đâu. Tên, địa chỉ và nguy cơ vẫn niêm phong.",
    "tell.used": "{member} ghi vào hồ sơ: '{text}'. Nhà tạm lánh đọc được, có tên người ghi.",
    "tell.revoked": "{member} ghi việc rút lại và chấm dứt quyền: '{reason}'. {other} chưa đồng "
    "bộ và còn ghi vào hồ sơ.",
    "tell.late": "Phần ghi muộn của {member} đến nhà tạm lánh. Nó là thật, và không được tính:",
    "tell.suspended": "Máy của {member} (thiết bị {device}) bị lấy mất khi đang bật, đang mở. "
    "'{unit}' đình chỉ nó bằng một lệnh.",
    "tell.thief-asks": "Kẻ trộm thử đồng bộ. Câu trả lời: {answer}",
    "tell.epochs": "{member} làm tiếp. Hồ sơ mới {case} nằm dưới khóa đời thứ {epoch} của cơ sở, "
    "máy bị lấy cắp chưa từng giữ khóa ấy.",
    "tell.disk": "Kẻ trộm đọc ổ đĩa: {files} tệp, {bytes} byte, tìm mọi thứ đã gài.",
    "tell.verified": "{member} kiểm chứng {entries} mục truy cập trong {changes} thay đổi, đối "
    "chiếu với máy chuyển tiếp; mốc {checkpoint}...",
    "tell.who-saw": "Ai đã xem hồ sơ {case}:",
    "tell.planted": "Đã gài {texts} tên, số, cơ sở, loại, mục và giá trị. Chúng được tìm theo "
    "{spellings} cách viết: UTF-8 và UTF-16, dựng sẵn và tổ hợp, bỏ dấu, hex, base64, msgpack.",
    "tell.searched": "Đã tìm trong: {files} ({bytes} byte).",
    "tell.hit": "TÌM THẤY: {kind} '{text}' trong {file}",
    "tell.left": "Mọi thứ được giữ trong {folder}; tệp LOOK-AROUND.txt ở đó chỉ cách xem.",
    # what people type
    "typed.rule-lan": "chỉ gọi buổi sáng, nói là cô giáo cũ",
    "typed.rule-cuc": "không gọi nữa, người đó đang giữ máy của chị ấy",
    "typed.reason-lan": "chị ấy nói đã yên tâm hơn sau khi chuyển phòng",
    "typed.reason-cuc": "người đó đã tìm tới cổng và hỏi tên chị ấy",
    "typed.decision": "đã nghe lại cả hai, tin nguy cơ ở cổng là thật",
    "typed.note-osso": "hẹn chị ấy tuần sau đến lớp học may",
    "typed.note-union": "hỏi vốn vay cho quầy rau ở chợ",
    "typed.notice": "Tôi đồng ý để Văn phòng OSSO biết cách liên lạc an toàn và việc điều phối hỗ "
    "trợ của tôi, chỉ để học nghề. Tôi có thể rút lại bất cứ lúc nào.",
    "typed.talk": "tư vấn học nghề may, hẹn gặp ở nhà văn hóa lúc ba giờ chiều",
    "typed.rule-osso": "nhắn tin trước, ký tên là lớp may",
    "typed.late": "đã giới thiệu chị ấy với tổ may ở chợ",
    "typed.withdrawn": "chị ấy đổi ý, muốn tự mình liên lạc",
    "typed.stolen": "mất trên xe khách tối qua",
    "typed.thief": "kẻ trộm ghi bậy vào hồ sơ này",
    "typed.after": "đã đổi khóa cổng, báo bảo vệ ca đêm",
    # what is kept with --keep
    "kept.relay": "Chạy lại máy chuyển tiếp, trong một cửa sổ riêng:",
    "kept.laptop": "Máy của {member}, {unit} (kèm mật khẩu):",
    # progress
    "progress.joining": "gia nhập",
    "progress.writing": "mở hồ sơ",
    "progress.syncing": "đồng bộ",
    # columns
    "column.person": "người",
    "column.unit": "cơ sở",
    "column.role": "vai trò",
    "column.process": "tiến trình",
    "column.code": "mã đã so",
    "column.cases": "hồ sơ có ở đây",
    "column.value": "giá trị",
    "column.change": "thay đổi",
    "column.reason": "lý do",
    "column.entries": "số mục",
    "column.actions": "đã làm gì",
    "column.check": "đã kiểm tra",
    # risk levels, as people say them
    "risk.low": "thấp",
    "risk.medium": "trung bình",
    "risk.high": "cao",
    # safe to contact, as people say it
    "safe.no": "liên lạc không an toàn",
    "safe.only_as_agreed": "chỉ theo cách đã hẹn",
    "safe.yes": "liên lạc an toàn",
    # checks
    "check.five-laptops": "năm máy, mỗi máy một tiến trình với bản sao mã hóa riêng, trong một "
    "mạng lưới",
    "check.codes-compared": "người mới nào cũng được nhận sau khi so mã trên màn hình của họ",
    "check.offline-unreachable": "không có máy chuyển tiếp thì lệnh đồng bộ nói rõ (mã thoát 4)",
    "check.offline-kept": "mọi thứ ghi khi mất đường truyền đều còn và chờ gửi",
    "check.all-synced": "có lại đường truyền, máy nào cũng đồng bộ đủ",
    "check.own-cases-only": "mỗi cơ sở giữ hồ sơ của mình và không có hồ sơ nào khác",
    "check.found-unaccented": "tìm được tên khi gõ không dấu",
    "check.both-words": "lời của cả hai đồng nghiệp đều được giữ, trên cả hai máy",
    "check.protective-value": "nguy cơ đang bất đồng được tính là cao cho đến khi có người quyết, "
    "có tên người ghi",
    "check.no-silent-overwrite": "không thể tiện tay ghi đè mục đang bất đồng (mã thoát 7)",
    "check.decided-by-name": "một người đứng tên đã quyết, và lịch sử giữ mọi lời trước đó",
    "check.same-everywhere": "hai máy cho thấy đúng cùng một hồ sơ",
    "check.consent-limits": "không chia sẻ được quá phạm vi đã đồng ý",
    "check.two-compartments": "OSSO đọc được hai ngăn được chia sẻ và không đọc được gì ở các "
    "ngăn khác",
    "check.grant-used": "điều OSSO ghi đến được nhà tạm lánh, có tên người ghi",
    "check.grant-limited": "ngoài phạm vi được chia sẻ, OSSO không ghi được (mã thoát 5)",
    "check.late-quarantined": "phần OSSO ghi trước khi biết quyền đã chấm dứt đến nơi và bị cách "
    "ly",
    "check.late-not-counted": "phần ghi muộn ấy không được tính vào hồ sơ",
    "check.copy-destroyed": "bản sao ở OSSO đã bị hủy",
    "check.thief-refused": "máy bị lấy cắp bị từ chối (mã thoát 5)",
    "check.thief-learns-nothing": "nó không nhận được hồ sơ mới hay chữ mới nào",
    "check.new-keys": "cơ sở làm tiếp với khóa mới mà máy bị lấy cắp không giữ",
    "check.thief-writes-nothing": "điều kẻ trộm ghi không đến được ai",
    "check.disk-closed": "ổ đĩa bị lấy cắp không lộ thứ gì đã gài",
    "check.audit-verified": "sổ truy cập toàn vẹn: chữ ký, chuỗi, cả hai sổ khớp với "
    "máy chuyển tiếp",
    "check.who-saw": "nêu đúng những người đã xem hồ sơ, lượt xem của OSSO có ghi quyền",
    "check.refusal-logged": "lần thử bị từ chối cũng có trong sổ",
    "check.auditor-blind": "kiểm tra viên biết ai đã xem, không đọc được gì của hồ sơ",
    "check.search-finds": "phép tìm thấy đủ cả ở nơi chúng được lưu không mã hóa",
    "check.relay-running-blind": "máy chuyển tiếp đang chạy: cơ sở dữ liệu và các nhật ký không "
    "có gì trong số đó",
    "check.relay-stopped-blind": "máy chuyển tiếp đã ngừng: các tệp không có gì trong số đó",
    # the end
    "summary": "{held} trên {all} điều kiểm tra đạt, trong {seconds} giây.",
}
