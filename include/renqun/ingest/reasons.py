"""Every reason to set a row aside or to leave it out, in words: what is wrong, and what to do about it.

`renqun sources check`, `renqun status` and docs/runbooks/ingest.md say the same sentences.
"""

from __future__ import annotations

SET_ASIDE: dict[str, str] = {
    "missing_required": "a cell is empty without which the row means nothing; fill it where the row comes from, and "
    "export again",
    "unparsable_value": "the cell is not what its column holds (a number, a time, an id); correct it where it comes "
    "from, or export again without opening the file in a spreadsheet",
    "digits_lost": "a spreadsheet has shortened a long number, and its last digits are gone; export again and do not "
    "save the file in a spreadsheet",
    "ambiguous_number": "the number may be a thousand times more, depending on the language it was written in; export "
    "with the platform's language set to English, or as a workbook",
    "negative_quantity": "a count is below zero; returns belong into the refunds: correct the row where it comes from",
    "negative_price": "a price is below zero; discounts and refunds have columns of their own: correct the row where "
    "it comes from",
    "time_before_2000": "the time lies before the year 2000, which no shop's does; correct it where it comes from",
    "time_after_export": "the time lies more than a day after the export; check the clock that wrote it, and the date "
    "of the folder",
    "paid_before_ordered": "the order was paid before it was placed; check which of the two times is wrong, and the "
    "zones they are in",
    "unknown_event_type": "the event is of a kind that nothing counts; use view, favourite, cart, search, checkout, "
    "follow or member",
    "foreign_currency": "the amount is in another currency than the shop's; drop such rows into a shop of that "
    "currency",
    "order_has_quarantined_line": "another line of this order is set aside, and half an order would be wrong; repair "
    "that line, and this one comes with it",
    "ragged_row": "the row has more or fewer cells than the header, or its quotes do not close; look for a separator "
    "or a line end inside a text, and export again",
    "row_too_long": "the row is longer than a million bytes, which no real one is; look for a text that was pasted "
    "into a cell, or for a picture, and take it out",
    "broken_encoding": "some letters are in another encoding than the rest of the file; export again in one piece",
    "broken_json": "the line is no whole JSON object; export again, or copy the file again if it was cut off",
}
"""By the reason's name; the column stands behind it in raw (`missing_required:order_id`)."""

LEFT_OUT: dict[str, str] = {
    "total": "the row sums up others; nothing to do",
    "blank_row": "the row holds nothing; nothing to do",
    "erased_person": "the row is about somebody who was erased; nothing to do",
}


def in_words(reason: str) -> str:
    """What a reason means and what to do.

    Raises:
        KeyError: nobody has said what it means.
    """
    name = reason.partition(":")[0]
    return SET_ASIDE[name] if name in SET_ASIDE else LEFT_OUT[name]


def set_aside_in_words(reason: str) -> str:
    """The same for a reason of a ledger that may be older than this list."""
    return SET_ASIDE.get(reason.partition(":")[0], "nothing is known about this reason; see docs/runbooks/ingest.md")
