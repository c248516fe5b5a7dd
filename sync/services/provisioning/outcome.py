"""What came of a provision file, in the keys that machines rely on (docs/provision.md)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from sync.services.provisioning.shape import Json


class Refused(ValueError):
    """The file cannot be followed; `faults` are (JSON pointer, sentence). Nothing was changed."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(sentence for _, sentence in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMade:
    """The customer."""

    id: str
    slug: str
    made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMade:
    """A member; `role` is "operator" for who runs the installation."""

    email: str
    role: str
    made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Whether BILL tells us of changes by itself, in a word and in a sentence."""

    status: str
    sentence: str


@dataclass(slots=True, kw_only=True)
class CompanyMade:
    """A company; `changed` names the parts that are not as they were."""

    id: str
    slug: str
    path: str
    made: bool
    changed: list[str] = field(default_factory=list)
    webhook: Webhook = field(default_factory=lambda: Webhook(status="not_connected", sentence=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMade:
    """An API token; its text is known only when it is made."""

    label: str
    role: str
    made: bool
    token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something done as the file says that may not work."""

    pointer: str
    sentence: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Everything that came of the file."""

    tenant: TenantMade
    people: list[PersonMade] = field(default_factory=list)
    operators: list[PersonMade] = field(default_factory=list)
    companies: list[CompanyMade] = field(default_factory=list)
    api_tokens: list[TokenMade] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def as_json(self) -> Json:
        """As JSON; the same keys on every run."""
        return asdict(self)
