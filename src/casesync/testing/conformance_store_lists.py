"""What a replica store must answer to lists and searches (testing, stands aside).

The second half of ``conformance_store.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from casesync.foundation.ids import ChangeNumber, DeviceNumber
from casesync.storage.listing_entry import ListingEntries
from casesync.sync.ports import (
    ConflictRow,
    ListingEntry,
    ListingRow,
    OutboxRow,
    QuarantineRow,
    Transaction,
)
from casesync.testing.conformance_store import (
    Check,
    StorePlace,
    access_row,
    code_of,
    stream_id,
)


def the_outbox_is_read_by_number(place: StorePlace) -> None:
    """A receipt replaces the row; done is gone."""
    store = place.open()
    with store.transaction() as transaction:
        rows = [OutboxRow(ChangeNumber(n), stream_id(n), 10 + n, 100, None) for n in (3, 1, 2)]
        for row in rows:
            transaction.put_outbox(row)
        acknowledged = rows[0]._replace(receipt=(0, 55))
        transaction.put_outbox(acknowledged)
        assert transaction.outbox() == [rows[1], rows[2], acknowledged]
        transaction.drop_outbox([ChangeNumber(1), ChangeNumber(3), ChangeNumber(9)])
        assert transaction.outbox() == [rows[2]]
    store.close()


def owed_back_fills_are_one_per_stream(place: StorePlace) -> None:
    """The newest statement of what is owed counts."""
    store = place.open()
    with store.transaction() as transaction:
        transaction.put_owed(stream_id(1), 0, 50)
        transaction.put_owed(stream_id(2), 0, 40)
        transaction.put_owed(stream_id(1), 30, 50)
        assert sorted(transaction.owed(), key=lambda owed: owed[2]) == [
            (stream_id(2), 0, 40),
            (stream_id(1), 30, 50),
        ]
        transaction.drop_owed(stream_id(2))
        assert transaction.owed() == [(stream_id(1), 30, 50)]
    store.close()


def quarantine_has_one_row_per_change(place: StorePlace) -> None:
    """A new reason replaces the old one; when it was noticed stays."""
    store = place.open()
    row = QuarantineRow(
        stream_id(1), DeviceNumber(3), ChangeNumber(8), None, "waiting", "control-entry", 70
    )
    with store.transaction() as transaction:
        transaction.put_quarantine(row)
        judged = row._replace(log_index=12, state="quarantined", reason="device-suspended")
        transaction.put_quarantine(judged._replace(noticed_ms=80))
        other = row._replace(number=ChangeNumber(9), noticed_ms=60)
        transaction.put_quarantine(other)
        assert transaction.quarantine() == [other, judged]
        transaction.drop_quarantine(3, 9)
        transaction.drop_quarantine(3, 10)
        assert transaction.quarantine() == [judged]
    store.close()


def access_entries_are_added_and_sealed_once(place: StorePlace) -> None:
    """Sealing marks what is unsealed up to a sequence, of one device, and nothing else."""
    store = place.open()
    with store.transaction() as transaction:
        for sequence in (1, 2, 3):
            transaction.append_access(access_row(sequence))
        transaction.append_access(access_row(1, device=5, change=44))
        transaction.mark_access_sealed(7, 1, 20)
        transaction.mark_access_sealed(7, 2, 21)
    with store.transaction() as transaction:
        assert transaction.access_unsealed() == [access_row(3)]
        own = [access_row(1, change=20), access_row(2, change=21), access_row(3)]
        assert list(transaction.access_rows(7)) == own
        assert list(transaction.access_rows(7, first=2)) == own[1:]
        assert list(transaction.access_rows()) == [access_row(1, device=5, change=44), *own]
    store.close()


def listing_row(
    number: int,
    *,
    sort_ms: int = 0,
    fields: Mapping[str, Any] | None = None,
    texts: Sequence[str] = (),
) -> ListingRow:
    """A row for tests; its code ends in its number."""
    return ListingRow(
        stream_id(number),
        stream_id(1000 + number),
        f"CASE-{number:04}",
        sort_ms,
        dict(fields or {}),
        tuple(texts),
    )


def entries(*rows: ListingRow) -> list[ListingEntry]:
    """The rows as they are put."""
    made = ListingEntries()
    return [made.entry(row) for row in rows]


def _numbers(page: tuple[list[ListingRow], int]) -> list[int]:
    return [int(row.code[5:]) for row in page[0]]


def a_row_comes_back_as_it_was_put(place: StorePlace) -> None:
    """Fields are JSON values, texts are only searched, a second put replaces the first."""
    store = place.open()
    row = listing_row(
        1,
        sort_ms=2**41,
        fields={"case.kinds": ["gbv", "trafficking"], "person.age": 17, "case.closed": False},
        texts=["Nguyễn Thị Hòa", "ghi chú"],
    )
    with store.transaction() as transaction:
        transaction.put_listings(entries(listing_row(1, fields={"person.age": 16}, texts=["Lan"])))
        transaction.put_listings(entries(row))
    with store.transaction() as transaction:
        row = row._replace(texts=())
        assert transaction.list_cases({}, 10, None) == ([row], 1)
        assert transaction.readable_cases() == 1
        transaction.put_listings(entries(listing_row(2, sort_ms=0)))
        assert transaction.readable_cases() == 1
        transaction.drop_listing(stream_id(2))
        assert transaction.find_cases("lan", 10, None) == ([], 0)
        assert transaction.list_cases({"person.age": 16}, 10, None) == ([], 0)
        assert transaction.cases_by_code("CASE-0001") == [row]
    store.close()


def a_list_is_newest_first_and_pages_are_stable(place: StorePlace) -> None:
    """Every case once over all pages, whatever the page size; equal times go by code."""
    store = place.open()
    expected = sorted(range(300), key=lambda n: (-(n % 17), n))
    with store.transaction() as transaction:
        for number in range(300):
            transaction.put_listings(
                entries(
                    listing_row(number, sort_ms=number % 17, fields={"case.x": 1}, texts=["hồ sơ"])
                )
            )
    with store.transaction() as transaction:
        for limit in (7, 100, 1000):
            assert _all_pages(transaction, {}, limit) == expected
            assert _all_pages(transaction, {"case.x": 1}, limit) == expected
        assert transaction.list_cases({}, 0, None) == ([], 300)
        found: list[int] = []
        after = None
        while len(found) <= 300 and (page := transaction.find_cases("ho so", 50, after)[0]):
            found += [int(row.code[5:]) for row in page]
            after = page[-1].code
        assert found == expected
    store.close()


def filters_compare_effective_values(place: StorePlace) -> None:
    """Equal in type and value; lists by their members; None = absent; several = all of them."""
    store = place.open()
    rows = [
        listing_row(1, fields={"case.status": "open", "case.kinds": ["gbv", "other"]}),
        listing_row(2, fields={"case.status": "open", "case.kinds": ["other"], "person.age": 1}),
        listing_row(3, fields={"case.status": "closed", "person.age": "1"}),
        listing_row(4, fields={"case.status": None, "person.age": True}),
    ]
    with store.transaction() as transaction:
        for row in rows:
            transaction.put_listings(entries(row))
        for filters, expected in (
            ({"case.status": "open"}, [1, 2]),
            ({"case.status": "open", "case.kinds": "gbv"}, [1]),
            ({"case.kinds": "other"}, [1, 2]),
            ({"case.kinds": ["other", "gbv"]}, [1]),
            ({"person.age": 1}, [2]),
            ({"person.age": "1"}, [3]),
            ({"person.age": True}, [4]),
            ({"case.status": None}, [4]),
            ({"case.kinds": None, "case.status": "closed"}, [3]),
            ({"no.field": "x"}, []),
            ({"case.status": {"a": 1}}, []),
        ):
            page = transaction.list_cases(filters, 10, None)
            assert _numbers(page) == expected, filters
            assert page[1] == len(expected)
    store.close()


def search_folds_and_ranks_what_was_typed_first(place: StorePlace) -> None:
    """Without accents all agree; exact words precede longer ones, these precede other accents."""
    store = place.open()
    texts = {1: "Trần Thị Hoa", 2: "Trần Văn Hoà", 3: "Trần Thị Hoàng", 4: "Lê Đào", 5: "tran hòa"}
    with store.transaction() as transaction:
        for number, text in texts.items():
            transaction.put_listings(
                entries(listing_row(number, sort_ms=number, texts=["x", text]))
            )
    with store.transaction() as transaction:
        for query, expected in (
            ("tran", [5, 3, 2, 1]),
            ("hòa", [5, 2, 3, 1]),
            ("HÒA tran", [5, 2, 1]),
            ("tran hoang", [3]),
            ("dao", [4]),
            ("Đào", [4]),
            ("tra", [5, 3, 2, 1]),
            ("tra hoa", []),
            ("vắng mặt", []),
        ):
            page = transaction.find_cases(query, 10, None)
            assert _numbers(page) == expected, query
            assert page[1] == len(expected)
        first = transaction.find_cases("hòa", 1, None)
        assert _numbers(first) == [5]
        assert first[1] == 4
        assert _numbers(transaction.find_cases("hòa", 2, first[0][0].code)) == [2, 3]
        assert _numbers(transaction.find_cases("hòa", 2, "CASE-0003")) == [1]
        assert _numbers(transaction.find_cases("hoa", 9, "CASE-0002")) == [1, 3]  # 3 is newer
    store.close()


def a_query_is_only_words(place: StorePlace) -> None:
    """No operator of any query language gets through, and nothing makes the search fail."""
    store = place.open()
    with store.transaction() as transaction:
        transaction.put_listings(entries(listing_row(1, texts=["Lan 0912 345 678 (mẹ: Cúc)"])))
        for query in ("lan OR vang", "lan NOT cuc", "folded : lan", "NEAR(lan cuc)", "lan AND"):
            assert transaction.find_cases(query, 10, None) == ([], 0), query
        for query in ('"lan"', "lan*", "(lan", "lan;--", "^lan", "+lan", "-lan", "{lan}", "0912"):
            assert transaction.find_cases(query, 10, None)[1] == 1, query
        for query in ("", " ", "*", '"', "''", "\x00", "\u0301", "()", "-"):
            assert transaction.find_cases(query, 10, None) == ([], 0), query
        assert transaction.find_cases("lan " * 500, 10, None)[1] == 1
        assert transaction.find_cases("x" * 100_000, 10, None)[1] == 0
    store.close()


def a_dropped_case_is_in_no_list(place: StorePlace) -> None:
    """Neither listed nor found, and dropping twice is as good as once."""
    store = place.open()
    with store.transaction() as transaction:
        for number in (1, 2):
            transaction.put_listings(entries(listing_row(number, fields={"a.b": 1}, texts=["lan"])))
    with store.transaction() as transaction:
        transaction.drop_listing(stream_id(1))
        transaction.drop_listing(stream_id(1))
        transaction.drop_listing(stream_id(77))
    with store.transaction() as transaction:
        assert _numbers(transaction.list_cases({}, 10, None)) == [2]
        assert _numbers(transaction.list_cases({"a.b": 1}, 10, None)) == [2]
        assert _numbers(transaction.find_cases("lan", 10, None)) == [2]
        assert transaction.cases_by_code("CASE-0001") == []
        transaction.put_listings(entries(listing_row(1, texts=["lan"])))
        assert _numbers(transaction.find_cases("lan", 10, None)) == [1, 2]
    store.close()


def a_page_after_a_case_that_is_gone_is_refused(place: StorePlace) -> None:
    """Better than starting silently somewhere."""
    store = place.open()
    with store.transaction() as transaction:
        transaction.put_listings(entries(listing_row(1, texts=["lan"])))
        for ask, after in (
            (partial(transaction.list_cases, {}, 10), "CASE-0404"),
            (partial(transaction.find_cases, "lan", 10), "CASE-0404"),
            (partial(transaction.find_cases, "vang", 10), "CASE-0001"),
        ):
            assert code_of(partial(ask, after)) == "page-unknown"
    store.close()


def codes_are_found_by_their_beginning(place: StorePlace) -> None:
    """In the order of codes; what no code begins with finds nothing."""
    store = place.open()
    with store.transaction() as transaction:
        for number in (12, 11, 2):
            transaction.put_listings(entries(listing_row(number)))
        for prefix, expected in (("CASE-001", [11, 12]), ("CASE", [2, 11, 12]), ("CASX", [])):
            assert _numbers((transaction.cases_by_code(prefix), 0)) == expected
        assert _numbers((transaction.cases_by_code("CASE-00%"), 0)) == []
    store.close()


def conflicts_are_replaced_by_stream_and_found_by_id(place: StorePlace) -> None:
    """Elements come back as text or bytes; one id may be of two streams."""
    store = place.open()
    row = ConflictRow("00000001", stream_id(1), b"r" * 16, "person", "phones", "0912", 1, 50)
    other = row._replace(stream=stream_id(2), element=b"e" * 16, since_ms=40)
    third = row._replace(conflict_id="00000003", element=None, part=0, since_ms=60)
    with store.transaction() as transaction:
        transaction.put_conflicts(stream_id(1), [row, third])
        transaction.put_conflicts(stream_id(2), [other])
        assert transaction.conflicts() == [other, row, third]
        assert transaction.conflicts("00000001") == [other, row]
        assert transaction.conflicts("0000") == []
        transaction.put_conflicts(stream_id(1), [third])
        assert transaction.conflicts() == [other, third]
        transaction.put_conflicts(stream_id(1), [])
        assert transaction.conflicts() == [other]
    store.close()


def _all_pages(transaction: Transaction, filters: Mapping[str, Any], limit: int) -> list[int]:
    numbers: list[int] = []
    after = None
    while len(numbers) <= 300:
        rows, total = transaction.list_cases(filters, limit, after)
        assert total == 300
        if not rows:
            break
        numbers += [int(row.code[5:]) for row in rows]
        after = rows[-1].code
    return numbers


CHECKS_OF_LISTS: Final[tuple[Check, ...]] = (
    the_outbox_is_read_by_number,
    owed_back_fills_are_one_per_stream,
    quarantine_has_one_row_per_change,
    access_entries_are_added_and_sealed_once,
    a_row_comes_back_as_it_was_put,
    a_list_is_newest_first_and_pages_are_stable,
    filters_compare_effective_values,
    search_folds_and_ranks_what_was_typed_first,
    a_query_is_only_words,
    a_dropped_case_is_in_no_list,
    a_page_after_a_case_that_is_gone_is_refused,
    codes_are_found_by_their_beginning,
    conflicts_are_replaced_by_stream_and_found_by_id,
)
"""Every check of this module."""
