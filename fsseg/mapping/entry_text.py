"""The title and notes of a timeline entry, laid out for whoever sells: what an order or a plan comes to is first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fsseg.mapping.names import camel, snake
from fsseg.mapping.storable import shows
from fsseg.segment.json_codec import dumps

MAX_VALUE = 500
"""Characters of one property."""

MAX_TITLE = 200
"""Characters of a title."""

MAX_TITLE_PART = 80
"""Characters of a property in a title."""

MAX_PRODUCTS = 50
"""Products of an order that get a line; the others are counted."""

_SUMS = ("total", "subtotal", "revenue", "value", "amount", "price", "mrr", "shipping", "tax", "discount")
"""Properties that are money where the event tells a currency."""

_WORTH = ("total", "revenue", "value", "amount", "mrr", "subtotal", "price")
"""Properties that say what it is all about in money, the best first."""

Properties = Mapping[str, Any]
_ORDER, _PLAN, _SUBJECT, _CAMPAIGN, _INVITED = (
    [spelled for name in names for spelled in (name, camel(name))]
    for names in (
        ("order_id", "checkout_id", "cart_id"),
        ("trial_plan_name", "plan_name", "plan"),
        ("email_subject",),
        ("campaign_name",),
        ("invitee_email", "invitee_last_name", "invitee_first_name"),
    )
)
"""What stands in titles, the best first."""

_JOINERS = "\u200c\u200d"
"""What makes words of Persian and Hindi, and one emoji of several."""

Line = tuple[str, str]
"""The property that a line tells of, and the line."""


class _Layout(NamedTuple):
    """How notes and titles are laid out of events whose names begin with one of these words."""

    words: tuple[str, ...]
    notes: Callable[[Properties], Iterator[Line]]
    title: Callable[[Properties], Iterable[str]]


def shown(value: Any) -> str:
    """A property's value on one line."""
    text = value if isinstance(value, str) else dumps(value).decode()
    return plain(text)[:MAX_VALUE]


def plain(text: str) -> str:
    """The text on one line, without what can't be seen."""
    if "  " not in text and text.isprintable():
        return text.strip(" ")
    seen = "".join(c if shows(c) or c in _JOINERS else " " for c in text)
    return " ".join(part for part in seen.split(" ") if part.strip(_JOINERS))


def property_lines(name: str, properties: Properties) -> list[str]:
    """The properties of an event of this name; those that its kind makes important first, in words.

    They are known in either spelling: `order_id` or `orderId`.
    """
    lines = [*_laid_out(name, {snake(name): value for name, value in properties.items()})]
    told = {used for used, _ in lines}
    rest = (f"{plain(name)}: {shown(value)}" for name, value in properties.items() if snake(name) not in told)
    return [*(line for _, line in lines if line), *rest]


@lru_cache(maxsize=1_000)
def title_maker(name: str) -> Callable[[Properties], str] | None:
    """What makes the title of an event of this name of its properties; None where that is always the name alone.

    The title is empty where the event has none of what would stand in it.
    """
    layout = _layout_of(name)
    if layout is None:
        return None
    begin = f"{plain(name)}: "

    def title(properties: Properties) -> str:
        parts = ", ".join(filter(None, layout.title(properties)))
        return f"{begin}{parts}"[:MAX_TITLE] if parts else ""

    return title


def title_of(name: str, properties: Properties) -> str:
    """The title of an event of this name with these properties; empty where it is the name alone."""
    title = title_maker(name)
    return title(properties) if title else ""


def _layout_of(name: str) -> _Layout | None:
    kind = name.casefold()
    return next((layout for layout in _LAYOUTS if kind.startswith(layout.words)), None)


def _laid_out(name: str, properties: Properties) -> Iterator[Line]:
    layout = _layout_of(name)
    if layout is not None:
        yield from layout.notes(properties)
    elif isinstance(properties.get("products"), list):
        yield from _order(properties)


def _order(properties: Properties) -> Iterator[Line]:
    yield from _named(properties, ("order_id", "Order"), ("checkout_id", "Checkout"), ("cart_id", "Cart"))
    yield from _sums(properties)
    yield from _named(properties, ("coupon", "Coupon"), ("payment_method", "Paid by"), ("affiliation", "Bought at"))
    products = properties.get("products")
    if isinstance(products, list) and products and all(isinstance(product, dict) for product in products):
        yield "products", "Products:"
        currency = properties.get("currency")
        for product in products[:MAX_PRODUCTS]:
            item = {snake(name): value for name, value in product.items()}
            yield "products", f"- {_product(item, currency)}"
        if len(products) > MAX_PRODUCTS:
            yield "products", f"- and {len(products) - MAX_PRODUCTS} more"


def _product(product: Properties, currency: Any) -> str:
    name = next((shown(product[key]) for key in ("name", "sku", "product_id") if product.get(key)), "a product")
    sku = f" ({shown(product['sku'])})" if product.get("sku") and shown(product["sku"]) != name else ""
    quantity = f"{shown(product['quantity'])} × " if product.get("quantity") not in (None, "") else ""
    price = f", {_money(product['price'], currency)}" if product.get("price") not in (None, "") else ""
    return f"{quantity}{name}{sku}{price}"


def _plan(properties: Properties) -> Iterator[Line]:
    yield from _named(
        properties, ("account_name", "Account"), ("trial_plan_name", "Plan"), ("plan_name", "Plan"), ("plan", "Plan"),
        ("seats", "Seats"), ("trial_start_date", "From"), ("trial_end_date", "Until"),
        ("billing_period", "Billed"),
    )  # fmt: skip
    yield from _sums(properties)


def _email(properties: Properties) -> Iterator[Line]:
    yield from _named(
        properties, ("email_subject", "Subject"), ("campaign_name", "Campaign"), ("link_url", "Link"),
        ("list_name", "List"),
    )  # fmt: skip


def _invite(properties: Properties) -> Iterator[Line]:
    parts = [properties.get(name) for name in ("invitee_first_name", "invitee_last_name", "invitee_email")]
    if known := [shown(part) for part in parts if part]:
        yield "invitee_email", f"Invited: {' '.join(known)}"
        yield from ((name, "") for name in ("invitee_first_name", "invitee_last_name"))
    yield from _named(properties, ("invitee_role", "Role"))


def _order_title(properties: Properties) -> Iterable[str]:
    return _first(properties, _ORDER), _amount(properties)


def _plan_title(properties: Properties) -> Iterable[str]:
    seats = _first(properties, ("seats",))
    told = seats and f"{seats} seat{'' if seats == '1' else 's'}"
    return _first(properties, _PLAN), told, _amount(properties)


def _email_title(properties: Properties) -> Iterable[str]:
    return _first(properties, _SUBJECT), _first(properties, _CAMPAIGN)


def _invite_title(properties: Properties) -> Iterable[str]:
    return (_first(properties, _INVITED),)


def _first(properties: Properties, names: Sequence[str]) -> str:
    for name in names:
        if name in properties and (told := _told(properties[name])):
            return told
    return ""


def _told(value: Any) -> str:
    """A text or a number for a title; nothing of anything else."""
    if isinstance(value, str):
        return plain(value)[:MAX_TITLE_PART]
    return str(value)[:MAX_TITLE_PART] if value.__class__ is int or value.__class__ is float else ""


def _amount(properties: Properties) -> str:
    for name in _WORTH:
        if name in properties:
            value = properties[name]
            if value.__class__ is float or _told(value):
                return _money(value, properties.get("currency"))[:MAX_TITLE_PART]
    return ""


def _named(properties: Properties, *names: tuple[str, str]) -> Iterator[Line]:
    for name, word in names:
        value = properties.get(name)
        if value not in (None, "") and not isinstance(value, list | dict):
            yield name, f"{word}: {shown(value)}"


def _sums(properties: Properties) -> Iterator[Line]:
    """Amounts with their currency, which then needs no line of its own."""
    currency = properties.get("currency")
    found = [(name, properties[name]) for name in _SUMS if properties.get(name) not in (None, "")]
    amounts = [(name, value) for name, value in found if not isinstance(value, list | dict | bool)]
    for name, value in amounts:
        yield name, f"{name.capitalize() if name != 'mrr' else 'MRR'}: {_money(value, currency)}"
    if amounts and isinstance(currency, str):
        yield "currency", ""


def _money(value: Any, currency: Any) -> str:
    unit = f" {shown(currency)}" if isinstance(currency, str) and currency.strip() else ""
    if (value.__class__ is float or value.__class__ is int) and -1e12 < value < 1e12 and round(value, 2) == value:
        return f"{value:,.2f}{unit}"
    return f"{shown(value)}{unit}"


_LAYOUTS = (
    _Layout(("email ", "unsubscribed"), _email, _email_title),
    _Layout(("order ", "checkout ", "cart ", "payment "), _order, _order_title),
    _Layout(("trial ", "subscription ", "account ", "plan "), _plan, _plan_title),
    _Layout(("invite ",), _invite, _invite_title),
)
