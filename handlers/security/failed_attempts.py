"""Failed attempts to authenticate, counted by the address of their sender."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from uuid import UUID, uuid5

from starlette.types import Scope

from openapi.serving import forwarded
from openapi.serving.rate_limits import RateLimits, RatePolicy

ATTEMPT = 10
"""Tokens of a rate limit that one failed attempt takes."""
OF_NAME = RatePolicy(rate=1, burst=10 * ATTEMPT)
"""Ten failed attempts for one name from one address, and one more every ten seconds."""
OF_ADDRESS = RatePolicy(rate=10, burst=60 * ATTEMPT)
"""Sixty failed attempts from one address, and one more every second."""
_NAMESPACE = UUID("6f2c1b5e-0d1a-5c57-9d2e-0b9a5b7f3a11")

Bucket = tuple[UUID, RatePolicy]


@dataclass(frozen=True, slots=True)
class FailedAttempts:
    """Counts failed attempts in `limits`, across all workers of one service."""

    limits: RateLimits

    def seconds_to_wait(self, *buckets: Bucket) -> int:
        """The seconds until one of `buckets` has room for another failed attempt; 0 if all have."""
        missing = [(ATTEMPT - self.limits.take(name, 0, policy).remaining, policy.rate) for name, policy in buckets]
        return max(0, *(-(-tokens // rate) for tokens, rate in missing))

    def begin(self, *buckets: Bucket) -> int:
        """Count an attempt before its outcome is known; `succeeded` takes that back.

        Returns the seconds to wait if one of `buckets` has no room: then nothing is counted.
        """
        for number, (name, policy) in enumerate(buckets):
            if not self.limits.take(name, ATTEMPT, policy).is_granted:
                self.succeeded(*buckets[:number])
                return max(1, self.seconds_to_wait(*buckets))
        return 0

    def succeeded(self, *buckets: Bucket) -> None:
        """Take back what `begin` has counted."""
        for name, policy in buckets:
            self.limits.take(name, -ATTEMPT, policy)

    def count(self, *buckets: Bucket) -> None:
        """Count one failed attempt in each of `buckets`."""
        for name, policy in buckets:
            self.limits.take(name, ATTEMPT, policy)


def of_client(scope: Scope, client_id: str) -> Bucket:
    """The bucket for attempts to authenticate as a client from the address of a request."""
    return uuid5(_NAMESPACE, f"{sender(scope)} client {client_id}"), OF_NAME


def of_operator(scope: Scope) -> Bucket:
    """The bucket for attempts to authenticate as an operator from the address of a request."""
    return uuid5(_NAMESPACE, f"{sender(scope)} operator"), OF_NAME


def of_admin(scope: Scope, name: str) -> Bucket:
    """The bucket for attempts to sign in as an admin from the address of a request."""
    return uuid5(_NAMESPACE, f"{sender(scope)} admin {name}"), OF_NAME


def of_address(scope: Scope) -> Bucket:
    """The bucket for attempts to authenticate as anything from the address of a request."""
    return uuid5(_NAMESPACE, sender(scope)), OF_ADDRESS


def of_visitor(scope: Scope) -> Bucket:
    """The bucket for the documents that come without credentials from the address of a request."""
    return uuid5(_NAMESPACE, f"{sender(scope)} visitor"), OF_NAME


def sender(scope: Scope) -> str:
    """The address of the sender: all of IPv4, the /64 of IPv6, because one host may have a whole /64."""
    host = str((scope.get("client") or ("unknown",))[0])
    address = forwarded.address(host)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address or host)
