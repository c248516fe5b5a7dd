"""The operators' pages, in Django's admin; each file holds one room of them.

Django finds them by importing this package.
"""

from sync.admin import companies, house, ledgers, mapping, tenants

__all__ = ["companies", "house", "ledgers", "mapping", "tenants"]
