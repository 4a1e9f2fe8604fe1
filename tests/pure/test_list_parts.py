"""A page that KeyCRM cannot return is read in parts: exactly the rows that cannot be read are left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycrm.client import Page
from keycrm.errors import QuotaExceeded, ServerTrouble, TimedOut
from keycrm.list_parts import MAX_FAILURES, read_in_parts

TROUBLE = ServerTrouble("server_trouble", status=500)


class KeyCrmList:
    """A list of KeyCRM in which some rows cannot be returned. Row 7 has the number 70.

    :param total: its rows
    :param faulty: positions of the faulty ones, from 1
    :param has_total: whether answers hold the number of rows
    """

    def __init__(self, total, faulty=(), *, has_total=True):
        self.total, self.faulty, self.has_total = total, set(faulty), has_total
        self.requests = 0

    def read(self, size, number):
        self.requests += 1
        first = (number - 1) * size
        places = range(first + 1, min(first + size, self.total) + 1)
        if self.faulty.intersection(places):
            raise TROUBLE
        answer = {"data": [{"id": place * 10} for place in places]}
        if self.has_total:
            answer |= {"total": self.total, "last_page": -(-self.total // size)}
        elif first + size < self.total:
            answer["next_page_url"] = "next"
        return Page.from_answer(answer, number)

    def page(self, number, **options):
        return read_in_parts(self.read, number, lambda error: True, **options)


def ids(page):
    return [row["id"] for row in page.rows]


@given(
    st.integers(1, 230),
    st.sets(st.integers(1, 230), max_size=6),
    st.integers(1, 5),
    st.booleans(),
)
def test_readable_rows_are_returned_and_the_others_reported(total, faulty, number, has_total):
    page = KeyCrmList(total, faulty, has_total=has_total).page(number)
    places = range((number - 1) * 50 + 1, min(number * 50, total) + 1)
    assert ids(page) == [place * 10 for place in places if place not in faulty]
    assert [(rows.position, rows.count) for rows in page.unread] == [
        (place, 1) for place in places if place in faulty
    ]
    if has_total:
        assert (page.total, page.is_last) == (total, number >= page.last)


def test_one_faulty_row_costs_few_requests_and_is_located():
    for place in range(51, 101):
        answers = KeyCrmList(230, {place})
        (rows,) = answers.page(2).unread
        assert answers.requests == 15
        assert rows.after == ((place - 1) * 10 if place > 51 else None)
        assert rows.before == ((place + 1) * 10 if place < 100 else None)
        assert list(rows.numbers(19)) == (
            list(range(rows.after + 1, rows.before)) if rows.after and rows.before else []
        )
        assert not rows.numbers(18)


@pytest.mark.parametrize("place", [9_999, 10_001, 100_010, 199_999])
def test_row_far_down_a_long_list_hides_no_row_after_it(place):
    number = -(-place // 50)
    page = KeyCrmList(200_000, {place}).page(number)
    assert len(page.rows) == 49
    assert page.is_last == (number == 4000)


def test_only_row_of_the_last_page_does_not_hold_up_its_list():
    for has_total in (True, False):
        page = KeyCrmList(51, {51}, has_total=has_total).page(2)
        assert (page.rows, page.is_last, len(page.unread)) == ([], True, 1)


def test_ten_faulty_rows_side_by_side_hide_no_other():
    page = KeyCrmList(50, range(11, 21)).page(1)
    assert len(page.rows) == 40
    assert len(page.unread) == 10


def test_list_that_cannot_be_read_at_all_is_not_passed_over():
    answers = KeyCrmList(200, range(1, 201))
    with pytest.raises(ServerTrouble):
        answers.page(1)
    assert answers.requests == MAX_FAILURES + 1


def test_list_that_times_out_is_not_passed_over():
    answers = KeyCrmList(200, range(1, 201))
    with pytest.raises(ServerTrouble):
        answers.page(1, is_time_up=lambda: True)
    assert answers.requests == 5


def test_parts_are_skipped_whole_once_the_time_is_up():
    answers = KeyCrmList(50, {1, 25})
    page = answers.page(1, is_time_up=lambda: answers.requests > 11)
    assert [(rows.position, rows.count) for rows in page.unread] == [(1, 1), (21, 10)]
    assert len(page.rows) == 39


@pytest.mark.parametrize("error", [QuotaExceeded(30), TimedOut("timed_out", host="x", seconds=5)])
def test_outage_or_quota_marks_no_row_as_faulty(error):
    def read(size, number):
        if number == 2:
            raise error
        return KeyCrmList(50).read(size, number)

    with pytest.raises(type(error)):
        read_in_parts(read, 1, lambda error: False)
