"""How each destination wants a phone number or an e-mail address written and hashed, as SQL over canonical columns.

`phone` is in the one form that staging gives it (`+8613800138000`), `email` is trimmed and in lower case. Whatever is
no sound phone number or address becomes NULL here: a destination never gets it. An address that a spreadsheet would
take for a formula (it begins with =, +, - or @) is no sound one. Hashes are lower-case hexadecimal.
"""

from __future__ import annotations

E164 = r"case when regexp_full_match(phone, '\+[1-9][0-9]{7,14}') then phone end"
"""With the country code and its plus."""
DIGITS = f"substr({E164}, 2)"
"""With the country code, digits only."""
MAINLAND = r"case when regexp_full_match(phone, '\+861[3-9][0-9]{9}') then substr(phone, 4) end"
"""The eleven digits of a mobile phone of mainland China; other numbers mean nothing to platforms that take these."""

# Where nobody of a shop has an address, DuckDB 2.0 knows from its statistics that the column is null throughout, and
# fails to bind what it makes of conditions on it; the same value behind two functions tells it nothing.
_GIVEN = "nullif(concat(email, ''), '')"
_NO_BLANKS = rf"regexp_replace(lower({_GIVEN}), '\s', '', 'g')"
_IS_ADDRESS = r"regexp_full_match({it}, '[^@\s,;<>\"''=+-][^@\s,;<>\"'']*@[^@\s,;<>\"'']+\.[^@\s,;<>\"'']+')"

EMAIL = f"case when {_IS_ADDRESS.format(it=_NO_BLANKS)} then {_NO_BLANKS} end"
"""Lower case, without blanks."""
EMAIL_WITHOUT_SUFFIX = rf"regexp_replace({EMAIL}, '\+[^@]*@', '@')"
"""Without what follows a plus before the at sign."""
GOOGLE_EMAIL = (
    rf"case when regexp_full_match({EMAIL}, '[^@]*@(gmail|googlemail)\.com')"
    f" then replace(regexp_extract({EMAIL_WITHOUT_SUFFIX}, '^[^@]*'), '.', '') || regexp_extract({EMAIL}, '@.*$')"
    f" else {EMAIL} end"
)
"""Addresses of Google's own mail lose dots and suffixes, all others keep them."""


def sha256_of(text: str) -> str:
    """SQL of the SHA-256 of a text; NULL of NULL."""
    return f"sha256({text})"


def md5_of(text: str) -> str:
    """SQL of the MD5 of a text; NULL of NULL."""
    return f"md5({text})"
