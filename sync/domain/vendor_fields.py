"""What a BILL vendor becomes in Sage's fields: on creation, and when fields we own have changed.

A linked vendor belongs to the customer: only fields the company lets us own are written, what is
blank in BILL never erases, and the vendor group is never in an update, because Sage then resets
terms, account set and tax from the group (Sage 300 reference, vendors).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from integrations.bill.types import BillVendor
from integrations.sage300.types import SHORT_NAME_LENGTH, VENDOR_NAME_LENGTH, SageVendor
from sync.domain.policy import Policy, VendorField
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.sage_text import fit

ADDRESS_LINE_LENGTH, CITY_LENGTH, POSTAL_CODE_LENGTH = 60, 30, 20
PHONE_LENGTH, EMAIL_LENGTH = 30, 50
GL_ACCOUNT_DISTRIBUTION = "GLAccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVendor:
    """A vendor as we want it in Sage, and what had to be shortened or left out."""

    vendor: SageVendor
    warnings: tuple[Problem, ...]


def new_vendor(
    vendor: BillVendor, *, number: str, policy: Policy, gl_account: str = ""
) -> NewVendor | Problem:
    """What to create; a problem where the company has not chosen a vendor group.

    `gl_account` is this vendor's own default, where a person gave one.
    """
    if not policy.vendor_group:
        return problem(
            ProblemCode.VENDOR_GROUP_UNSET,
            f"{vendor.name} cannot be created in Sage: no vendor group is chosen for new vendors. "
            "Choose one in the policy.",
        )
    return wanted_vendor(vendor, number=number, policy=policy, gl_account=gl_account)


def wanted_vendor(
    vendor: BillVendor, *, number: str, policy: Policy, gl_account: str = ""
) -> NewVendor:
    """How the vendor would stand in Sage if every field were ours to write."""
    account = gl_account or policy.vendor_gl_account
    address = vendor.address
    fields = {
        "name": (vendor.name, VENDOR_NAME_LENGTH),
        "short name": (vendor.short_name, SHORT_NAME_LENGTH),
        "first address line": (address.line1, ADDRESS_LINE_LENGTH),
        "second address line": (address.line2, ADDRESS_LINE_LENGTH),
        "city": (address.city, CITY_LENGTH),
        "state or province": (address.state_or_province, CITY_LENGTH),
        "postal code": (address.postal_code, POSTAL_CODE_LENGTH),
        "country": (address.country_name or address.country, CITY_LENGTH),
    }
    texts = {what: fit(text, length) for what, (text, length) in fields.items()}
    warnings = [
        _shortened(vendor, what, length)
        for what, (_, length) in fields.items()
        if texts[what].is_cut and what != "short name"
    ]
    phone, phone_warning = _whole(vendor, "telephone", vendor.phone, PHONE_LENGTH)
    email, email_warning = _whole(vendor, "e-mail", vendor.email, EMAIL_LENGTH)
    lines = (texts["first address line"].text, texts["second address line"].text)
    return NewVendor(
        vendor=SageVendor(
            number=number,
            name=texts["name"].text,
            # A search key of ten characters: Sage's own short names are the name cut short.
            short_name=texts["short name"].text or fit(vendor.name, SHORT_NAME_LENGTH).text,
            group_code=policy.vendor_group,
            terms=policy.vendor_terms,
            tax_group=policy.vendor_tax_group,
            gl_account=account,
            distribution_type=GL_ACCOUNT_DISTRIBUTION if account else "",
            address_lines=tuple(line for line in lines if line),
            city=texts["city"].text,
            state_province=texts["state or province"].text,
            postal_code=texts["postal code"].text,
            country=texts["country"].text,
            phone=phone,
            email=email,
        ),
        warnings=(*warnings, *(w for w in (phone_warning, email_warning) if w)),
    )


def changes(
    current: SageVendor, wanted: SageVendor, owned: Collection[VendorField]
) -> dict[str, str]:
    """Sage's property names with the values to write, only where they differ and are ours."""
    found: dict[str, str] = {}
    for owner, name, has, wants in _pairs(current, wanted):
        if owner in owned and wants and not _agree(owner, has, wants):
            found[name] = wants
    if VendorField.GL_ACCOUNT in owned and wanted.gl_account:
        _default_is_account(found, current, wanted)
    return found


def _default_is_account(found: dict[str, str], current: SageVendor, wanted: SageVendor) -> None:
    """A default account counts only where the vendor's distribution is by account."""
    known = current.distribution_type
    if known == GL_ACCOUNT_DISTRIBUTION or (not known and "GLAccount" not in found):
        return
    # The type first: it drives which default Sage keeps.
    found.pop("GLAccount", None)
    found["DistributionType"] = GL_ACCOUNT_DISTRIBUTION
    found["GLAccount"] = wanted.gl_account


def _pairs(current: SageVendor, wanted: SageVendor) -> Iterator[tuple[VendorField, str, str, str]]:
    yield VendorField.NAME, "VendorName", current.name, wanted.name
    yield VendorField.SHORT_NAME, "ShortName", current.short_name, wanted.short_name
    for place in range(4):
        has, wants = _line(current, place), _line(wanted, place)
        yield VendorField.ADDRESS, f"AddressLine{place + 1}", has, wants
    yield VendorField.ADDRESS, "City", current.city, wanted.city
    yield VendorField.ADDRESS, "StateProvince", current.state_province, wanted.state_province
    yield VendorField.ADDRESS, "ZipPostalCode", current.postal_code, wanted.postal_code
    yield VendorField.ADDRESS, "Country", current.country, wanted.country
    yield VendorField.PHONE, "PhoneNumber", current.phone, wanted.phone
    yield VendorField.EMAIL, "Email", current.email, wanted.email
    yield VendorField.TERMS, "Terms", current.terms, wanted.terms
    yield VendorField.TAX_GROUP, "TaxGroup", current.tax_group, wanted.tax_group
    yield VendorField.GL_ACCOUNT, "GLAccount", current.gl_account, wanted.gl_account


def _line(vendor: SageVendor, place: int) -> str:
    return vendor.address_lines[place] if place < len(vendor.address_lines) else ""


def _agree(owner: VendorField, has: str, wants: str) -> bool:
    """Whether Sage already says so; Sage strips or re-spells some of what it is given."""
    if owner is VendorField.PHONE:
        return _digits(has) == _digits(wants)
    if owner is VendorField.GL_ACCOUNT:
        return _alphanumeric(has) == _alphanumeric(wants)
    if owner in (VendorField.EMAIL, VendorField.TERMS, VendorField.TAX_GROUP):
        return has.casefold() == wants.casefold()
    return has == wants


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _alphanumeric(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


def _whole(vendor: BillVendor, what: str, text: str, length: int) -> tuple[str, Problem | None]:
    """A value that is wrong when cut is left out instead."""
    fitted = fit(text, length)
    if not fitted.is_cut and not fitted.lost:
        return fitted.text, None
    return "", problem(
        ProblemCode.VENDOR_FIELD_LEFT_OUT,
        f"The {what} of {vendor.name} does not fit Sage's {length} characters and is left out.",
        subject=vendor.id,
        subject_name=vendor.name,
    )


def _shortened(vendor: BillVendor, what: str, length: int) -> Problem:
    return problem(
        ProblemCode.TEXT_SHORTENED,
        f"The {what} of {vendor.name} is shortened to Sage's {length} characters.",
        subject=vendor.id,
        subject_name=vendor.name,
    )
