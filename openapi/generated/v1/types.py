"""Types of Interaction Reporting API 1.1, for requests and responses.

`interaction-reporting generate types` made them from the document with the SHA-256
357fa42ed956de28be7dbc7699197b861db77b91856377ba7553215455d75786. Do not edit them.
"""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class InteractionEvent(TypedDict):
    """One interaction with a governed widget, as the hub saw it."""

    # The governed widget's stable ID.
    widget_id: str

    # What happened: the name of an entry in the event type registry whose status is active. The framework
    # registers `viewed`, `focused`, `clicked`, `submitted`, `abandoned`, `retried`, `failed`,
    # `commented`, `flagged_confusing`, `flagged_helpful`, `blocked_by_policy`, `escalated`,
    # `accepted_recommendation` and `rejected_recommendation`; hubs may register more.
    event_type: str

    # When the event occurred on the client: an ISO 8601 timestamp with a time zone, in the years 0001 to
    # 9999 UTC; see "Times". A leap second, 23:59:60Z of any day, is kept as the 00:00:00Z that follows.
    occurred_at: str

    # When the client sent the request, by the same clock as occurred_at. It is stored next to
    # received_at, to show how far that clock was from the service's; it corrects no other time. Keys do
    # not compare it: a repeated request may have another one, and the first one stays.
    sent_at: NotRequired[str | None]

    # The acting user's ID.
    actor_id: NotRequired[str | None]

    # The kind of the actor; null is the same as absent.
    actor_type: NotRequired["ActorType"]

    # The view path where the event occurred.
    view_context_ref: NotRequired[str | None]

    # Arbitrary additional context. It is stored by value: numbers come back equal and strings unchanged.
    # The order of properties and the notation of numbers are not kept.
    metadata: NotRequired[dict[str, Any] | None]

    # The hub's own name for this event, unique among its events; see "Each thing once". An event that is
    # sent again under its name is stored once.
    client_event_id: NotRequired[str | None]


class StoredInteractionEvent(TypedDict):
    """The fields that identify a stored event."""

    # The event's id, a UUID version 7 (RFC 9562).
    id: str

    # The id of the event's widget, in lower case.
    widget_id: str

    # The event type, as sent.
    event_type: str

    # The stored instant, in UTC, with a fraction of six digits unless the fraction is zero.
    occurred_at: str


class InteractionEventRecord(TypedDict):
    """A stored event. It also has the fields that a later minor version adds."""

    # Its id, a UUID version 7 (RFC 9562).
    id: str

    # The governed widget's stable ID.
    widget_id: str

    # The event type, as sent.
    event_type: str

    # The stored instant, in UTC, with a fraction of six digits unless the fraction is zero.
    occurred_at: str

    # When the client sent it, by its own clock, in UTC.
    sent_at: NotRequired[str]

    # The acting user's ID.
    actor_id: NotRequired[str]

    # The kind of the actor of a stored submission.
    actor_type: NotRequired["RecordedActorType"]

    # The view path where the event occurred.
    view_context_ref: NotRequired[str]

    # Arbitrary additional context. It is stored by value: numbers come back equal and strings unchanged.
    # The order of properties and the notation of numbers are not kept.
    metadata: NotRequired[dict[str, Any]]

    # The hub's own name for it.
    client_event_id: NotRequired[str]

    # The version of the contract that accepted it.
    contract_version: str

    # When it was stored, by the clock of the database, in UTC.
    received_at: str


class InteractionEventPage(TypedDict):
    """Some items of a list, and a cursor for the next ones."""

    # The items. A page may be empty although has_more is true.
    items: "list[InteractionEventRecord]"

    # The cursor of the next page. At the end of the list it returns items that are submitted later.
    next_cursor: str

    # Whether there are more items at the moment.
    has_more: bool


class Annotation(TypedDict):
    """Remarks by a person or an agent about a widget, or about an event on it."""

    # The governed widget's stable ID.
    widget_id: str

    # The event that it is about, which must be one of the hub's own.
    event_id: NotRequired[str | None]

    # The kind of remark: `comment`: any remark; `question`: the actor wants to know something; `issue`:
    # something does not work as it should; `confusion`: the actor does not understand something;
    # `suggestion`: how something could be better; `praise`: something is good; `policy_concern`:
    # something should not be as it is, or should not be allowed; `accessibility`: some people cannot use
    # something.
    category: "AnnotationCategory"

    # The remark, as plain text.
    body: str

    # The severity of the remark; null is the same as absent.
    severity: NotRequired["AnnotationSeverity"]

    # When the remark was made, in the form of an event's occurred_at; the time of receipt by default.
    occurred_at: NotRequired[str | None]

    # When the client sent the request, by the same clock as occurred_at. It is stored next to
    # received_at, to show how far that clock was from the service's; it corrects no other time. Keys do
    # not compare it: a repeated request may have another one, and the first one stays.
    sent_at: NotRequired[str | None]

    # The acting user's ID.
    actor_id: NotRequired[str | None]

    # The kind of the actor; null is the same as absent.
    actor_type: NotRequired["ActorType"]

    # The view path where the event occurred.
    view_context_ref: NotRequired[str | None]

    # Arbitrary additional context. It is stored by value: numbers come back equal and strings unchanged.
    # The order of properties and the notation of numbers are not kept.
    metadata: NotRequired[dict[str, Any] | None]

    # The hub's own name for this annotation, unique among its annotations, like client_event_id for an
    # event.
    client_annotation_id: NotRequired[str | None]


class StoredAnnotation(TypedDict):
    """The fields that identify a stored annotation."""

    # Its id, a UUID version 7 (RFC 9562).
    id: str

    # The governed widget's stable ID.
    widget_id: str

    # The kind of remark: `comment`: any remark; `question`: the actor wants to know something; `issue`:
    # something does not work as it should; `confusion`: the actor does not understand something;
    # `suggestion`: how something could be better; `praise`: something is good; `policy_concern`:
    # something should not be as it is, or should not be allowed; `accessibility`: some people cannot use
    # something.
    category: "AnnotationCategory"


class AnnotationRecord(TypedDict):
    """A stored annotation. It also has the fields that a later minor version adds."""

    # Its id, a UUID version 7 (RFC 9562).
    id: str

    # The governed widget's stable ID.
    widget_id: str

    # The event that it is about.
    event_id: NotRequired[str]

    # The kind of remark: `comment`: any remark; `question`: the actor wants to know something; `issue`:
    # something does not work as it should; `confusion`: the actor does not understand something;
    # `suggestion`: how something could be better; `praise`: something is good; `policy_concern`:
    # something should not be as it is, or should not be allowed; `accessibility`: some people cannot use
    # something.
    category: "AnnotationCategory"

    # The remark.
    body: str

    # The severity of a stored annotation.
    severity: NotRequired["RecordedSeverity"]

    # The stored instant, in UTC, with a fraction of six digits unless the fraction is zero.
    occurred_at: str

    # When the client sent it, by its own clock, in UTC.
    sent_at: NotRequired[str]

    # The acting user's ID.
    actor_id: NotRequired[str]

    # The kind of the actor of a stored submission.
    actor_type: NotRequired["RecordedActorType"]

    # The view path where the event occurred.
    view_context_ref: NotRequired[str]

    # Arbitrary additional context. It is stored by value: numbers come back equal and strings unchanged.
    # The order of properties and the notation of numbers are not kept.
    metadata: NotRequired[dict[str, Any]]

    # The hub's own name for it.
    client_annotation_id: NotRequired[str]

    # The version of the contract that accepted it.
    contract_version: str

    # When it was stored, by the clock of the database, in UTC.
    received_at: str


class AnnotationPage(TypedDict):
    """Some items of a list, and a cursor for the next ones."""

    # The items. A page may be empty although has_more is true.
    items: "list[AnnotationRecord]"

    # The cursor of the next page. At the end of the list it returns items that are submitted later.
    next_cursor: str

    # Whether there are more items at the moment.
    has_more: bool


class BatchAnswer(TypedDict):
    """The result of each item, and totals."""

    # One result for each item, in the order of the items.
    results: "list[ItemResult]"

    # The number of items by outcome.
    totals: "ItemTotals"


class ItemResult(TypedDict):
    """The result of one item."""

    # The index of the item, from 0.
    index: int

    # The outcome of an item.
    status: "ItemStatus"

    # The id of the stored item; absent if it was rejected.
    id: NotRequired[str]

    # The reason for the rejection, for programs; absent if it is stored.
    code: NotRequired[str]

    # What is wrong; absent if it is stored.
    error: NotRequired[str]

    # What to do about it.
    help: NotRequired[str]

    # The place of the fault in the item (RFC 6901), or of the first of several faults.
    pointer: NotRequired[str]

    # Whether the same item may be accepted later without a change; absent if it is stored.
    retry: NotRequired[bool]


class EventType(TypedDict):
    """One entry of the event type registry."""

    # The value of event_type in events.
    name: str

    # What it means.
    description: str

    # The version of its metadata_schema.
    version: int

    # A JSON Schema (draft 2020-12, without references) for the metadata of events of this type.
    metadata_schema: NotRequired[dict[str, Any]]

    # The owner of an event type; `framework` also stands for the operator.
    registered_by: "EventTypeOwner"


class EventTypePage(TypedDict):
    """Some items of a list, and a cursor for the next ones."""

    # The items. A page may be empty although has_more is true.
    items: "list[EventType]"

    # The cursor of the next page. At the end of the list it returns items that are submitted later.
    next_cursor: str

    # Whether there are more items at the moment.
    has_more: bool


class Widget(TypedDict):
    """One active widget."""

    # The governed widget's stable ID.
    id: str

    # A name for people.
    name: str


class WidgetPage(TypedDict):
    """Some items of a list, and a cursor for the next ones."""

    # The items. A page may be empty although has_more is true.
    items: "list[Widget]"

    # The cursor of the next page. At the end of the list it returns items that are submitted later.
    next_cursor: str

    # Whether there are more items at the moment.
    has_more: bool


class HubCapabilityManifest(TypedDict):
    """What a hub can report."""

    # The hub's own event types.
    event_types: "list[EventTypeDefinition]"

    # The widgets that this hub registers.
    widgets: "list[WidgetDefinition]"


class SubmittedManifest(TypedDict):
    """What a hub can report."""

    # The number of different manifests that this hub has submitted, one after the other, up to this one.
    revision: int

    # When the service received it, in UTC.
    received_at: str

    # The hub's own event types.
    event_types: "list[SubmittedEventType]"

    # The widgets that this hub registers.
    widgets: "list[SubmittedWidget]"


class RejectedSubmissionSummary(TypedDict):
    """A rejected submission, without its content."""

    # Its id, a UUID version 7 (RFC 9562).
    id: str

    # The kind of submission; a batch is one that was rejected as a whole, and cannot be replayed.
    kind: "RejectedSubmissionKind"

    # The index of the submission in its batch, from 0.
    batch_index: NotRequired[int]

    # The reason for the rejection, for programs.
    code: str

    # What is wrong.
    error: str

    # What to do about it.
    help: str

    # The place of the fault (RFC 6901), or of the first of several faults.
    pointer: NotRequired[str]

    # The version of the contract that rejected it.
    contract_version: str

    # When it was stored, by the clock of the database, in UTC.
    received_at: str

    # When a replay stored it.
    replayed_at: NotRequired[str]

    # The id under which a replay stored it.
    replayed_as: NotRequired[str]

    # The number of bytes of the submission.
    content_bytes: int


class RejectedSubmissionPage(TypedDict):
    """Some items of a list, and a cursor for the next ones."""

    # The items. A page may be empty although has_more is true.
    items: "list[RejectedSubmissionSummary]"

    # The cursor of the next page. At the end of the list it returns items that are submitted later.
    next_cursor: str

    # Whether there are more items at the moment.
    has_more: bool


class RejectedSubmission(TypedDict):
    """A rejected submission, with its content."""

    # Its id, a UUID version 7 (RFC 9562).
    id: str

    # The kind of submission; a batch is one that was rejected as a whole, and cannot be replayed.
    kind: "RejectedSubmissionKind"

    # The index of the submission in its batch, from 0.
    batch_index: NotRequired[int]

    # The reason for the rejection, for programs.
    code: str

    # What is wrong.
    error: str

    # What to do about it.
    help: str

    # The place of the fault (RFC 6901), or of the first of several faults.
    pointer: NotRequired[str]

    # The version of the contract that rejected it.
    contract_version: str

    # When it was stored, by the clock of the database, in UTC.
    received_at: str

    # When a replay stored it.
    replayed_at: NotRequired[str]

    # The id under which a replay stored it.
    replayed_as: NotRequired[str]

    # The number of bytes of the submission.
    content_bytes: int

    # The bytes of the submission, in Base64.
    content_base64: str

    # The same bytes as text; absent if they are not UTF-8.
    content: NotRequired[str]


class Replay(TypedDict):
    """The rejected submissions to replay; those that a replay has stored are left out, unless `ids` names
    them.
    """

    # Only these rejected submissions.
    ids: NotRequired[list[str] | None]

    # Only submissions of this kind; null is the same as absent.
    kind: NotRequired["ReplayKind"]

    # Only submissions that were rejected with this code.
    code: NotRequired[str | None]

    # The most submissions to replay, oldest first; 1,000 by default. Never more than the hub's bucket
    # holds.
    limit: NotRequired[int | None]


class ReplayAnswer(TypedDict):
    """The result of each submission, and totals."""

    # One result for each rejected submission, in the order of `ids`, or in the order of the replay.
    results: "list[ReplayResult]"

    # The number of items by outcome.
    totals: "ItemTotals"


class Usage(TypedDict):
    """The outcomes of submissions, by hour."""

    # Hours with submissions, oldest first; one entry for each kind.
    items: "list[UsageHour]"


class ErrorAnswer(TypedDict):
    """What is wrong with a request, and what to do about it."""

    # What is wrong. It names every faulty field.
    error: str

    # What to do about it.
    help: str


class AuthenticationError(TypedDict):
    """The request is not authenticated. The `WWW-Authenticate` header says why."""

    # What the service requires.
    error: Literal["Authorization: Bearer required"]


class ItemTotals(TypedDict):
    """The number of items by outcome."""

    # The items of the request.
    received: int

    # The items that this request stored.
    created: int

    # The items that were stored before.
    duplicate: int

    # The items that are not stored.
    rejected: int


class EventTypeDefinition(TypedDict):
    """One event type."""

    # Its name, unique among all hubs. Begin it with the hub's name to avoid collisions with other hubs.
    name: str

    # What it means.
    description: str

    # The version of its metadata_schema; 1 by default. A narrower schema needs a higher version.
    version: NotRequired[int | None]

    # A JSON Schema (draft 2020-12, without references) for the metadata of events of this type.
    metadata_schema: NotRequired[dict[str, Any] | None]


class WidgetDefinition(TypedDict):
    """One widget."""

    # The widget's stable ID.
    id: str

    # A name for people.
    name: str


class SubmittedEventType(TypedDict):
    """One event type."""

    # Its name, unique among all hubs. Begin it with the hub's name to avoid collisions with other hubs.
    name: str

    # What it means.
    description: str

    # The version of its metadata_schema; 1 by default. A narrower schema needs a higher version.
    version: int

    # A JSON Schema (draft 2020-12, without references) for the metadata of events of this type.
    metadata_schema: NotRequired[dict[str, Any]]

    # The status of an event type: a `pending` one waits for an operator, events may no longer use a
    # `deprecated` one.
    status: "EventTypeStatus"


class SubmittedWidget(TypedDict):
    """One widget."""

    # The widget's stable ID.
    id: str

    # A name for people.
    name: str

    # The status of a widget: hubs may report about an `active` one.
    status: "WidgetStatus"


class ReplayResult(TypedDict):
    """The result of one submission."""

    # The id of the rejected submission.
    rejection_id: str

    # The index of the item, from 0.
    index: int

    # The outcome of an item.
    status: "ItemStatus"

    # The id of the stored item; absent if it was rejected.
    id: NotRequired[str]

    # The reason for the rejection, for programs; absent if it is stored.
    code: NotRequired[str]

    # What is wrong; absent if it is stored.
    error: NotRequired[str]

    # What to do about it.
    help: NotRequired[str]

    # The place of the fault in the item (RFC 6901), or of the first of several faults.
    pointer: NotRequired[str]

    # Whether the same item may be accepted later without a change; absent if it is stored.
    retry: NotRequired[bool]


class UsageHour(TypedDict):
    """The submissions of one kind in one hour."""

    # The beginning of the hour, in UTC.
    hour: str

    # The kind of submission.
    kind: "SubmissionKind"

    # All submissions.
    received: int

    # The stored submissions.
    created: int

    # The submissions that were stored before.
    duplicate: int

    # The submissions that were rejected.
    rejected: int

    # The submissions that exceeded the hub's rate.
    throttled: int

    # The same counts by event type, category or code.
    reasons: "list[UsageReason]"


class UsageReason(TypedDict):
    """One count."""

    # The outcome of submissions.
    outcome: "SubmissionOutcome"

    # The event type or category; for rejected and throttled submissions the code.
    reason: str

    # The number of submissions.
    count: int


AnnotationCategory: TypeAlias = Literal["comment", "question", "issue", "confusion", "suggestion", "praise", "policy_concern", "accessibility"]
"""The kind of remark: `comment`: any remark; `question`: the actor wants to know something; `issue`:
something does not work as it should; `confusion`: the actor does not understand something;
`suggestion`: how something could be better; `praise`: something is good; `policy_concern`:
something should not be as it is, or should not be allowed; `accessibility`: some people cannot use
something.
"""


ExportFormat: TypeAlias = Literal["ndjson", "csv"]
"""The format of an export."""


RejectedSubmissionKind: TypeAlias = Literal["event", "annotation", "event-batch", "annotation-batch"]
"""The kind of submission; a batch is one that was rejected as a whole, and cannot be replayed."""


RecordedActorType: TypeAlias = Literal["user", "agent", "automation", "external_adapter"]
"""The kind of the actor of a stored submission."""


ActorType: TypeAlias = Literal["user", "agent", "automation", "external_adapter"] | None
"""The kind of the actor; null is the same as absent."""


RecordedSeverity: TypeAlias = Literal["info", "low", "medium", "high", "critical"]
"""The severity of a stored annotation."""


AnnotationSeverity: TypeAlias = Literal["info", "low", "medium", "high", "critical"] | None
"""The severity of the remark; null is the same as absent."""


ItemStatus: TypeAlias = Literal["created", "duplicate", "rejected"]
"""The outcome of an item."""


EventTypeOwner: TypeAlias = Literal["framework", "you", "another hub"]
"""The owner of an event type; `framework` also stands for the operator."""


SubmissionKind: TypeAlias = Literal["event", "annotation"]
"""The kind of submission."""


ReplayKind: TypeAlias = Literal["event", "annotation"] | None
"""Only submissions of this kind; null is the same as absent."""


EventTypeStatus: TypeAlias = Literal["active", "pending", "deprecated"]
"""The status of an event type: a `pending` one waits for an operator, events may no longer use a
`deprecated` one.
"""


WidgetStatus: TypeAlias = Literal["active", "retired"]
"""The status of a widget: hubs may report about an `active` one."""


SubmissionOutcome: TypeAlias = Literal["created", "duplicate", "rejected", "throttled"]
"""The outcome of submissions."""


BatchAnswerOrError: TypeAlias = "BatchAnswer | ErrorAnswer"
"""The results of the items, or, if the whole request is at fault, what is wrong with it."""


ReplayAnswerOrError: TypeAlias = "ReplayAnswer | ErrorAnswer"
"""The results of the submissions, or, if the whole request is at fault, what is wrong with it."""


class ListInteractionEventsQuery(TypedDict):
    # The most items that a page has; 100 by default.
    limit: NotRequired[int]

    # The next_cursor of an earlier page of the same list.
    cursor: NotRequired[str]

    # Only submissions about this widget.
    widget_id: NotRequired[str]

    # Only events of this type.
    event_type: NotRequired[str]

    # Only submissions by this actor.
    actor_id: NotRequired[str]

    # Only submissions with occurred_at at this instant or later.
    occurred_from: NotRequired[str]

    # Only submissions with occurred_at before this instant.
    occurred_until: NotRequired[str]

    # Only submissions that the service received at this instant or later. To follow new ones, use the
    # cursor.
    received_since: NotRequired[str]


ReportInteractionEventHeaders = TypedDict(
    "ReportInteractionEventHeaders",
    {
        "Idempotency-Key": NotRequired[str],
        "Prefer": NotRequired[str],
    },
)


ReportInteractionEventsHeaders = TypedDict(
    "ReportInteractionEventsHeaders",
    {
        "Idempotency-Key": NotRequired[str],
        "Prefer": NotRequired[str],
    },
)


class ExportInteractionEventsQuery(TypedDict):
    # The format of the file.
    format: "ExportFormat"

    # The `id` in the last whole line of a file that was cut off. The answer begins with the row after it,
    # and has no header line: appended to the whole lines of that file, it completes the file.
    after: NotRequired[str]

    # Only submissions about this widget.
    widget_id: NotRequired[str]

    # Only events of this type.
    event_type: NotRequired[str]

    # Only submissions by this actor.
    actor_id: NotRequired[str]

    # Only submissions with occurred_at at this instant or later.
    occurred_from: NotRequired[str]

    # Only submissions with occurred_at before this instant.
    occurred_until: NotRequired[str]

    # Only submissions that the service received at this instant or later. To follow new ones, use the
    # cursor.
    received_since: NotRequired[str]


class GetInteractionEventPath(TypedDict):
    # The id that the response to the submission had.
    id: str


class ListAnnotationsQuery(TypedDict):
    # The most items that a page has; 100 by default.
    limit: NotRequired[int]

    # The next_cursor of an earlier page of the same list.
    cursor: NotRequired[str]

    # Only submissions about this widget.
    widget_id: NotRequired[str]

    # Only annotations on this event.
    event_id: NotRequired[str]

    # Only annotations of this category.
    category: NotRequired["AnnotationCategory"]

    # Only submissions by this actor.
    actor_id: NotRequired[str]

    # Only submissions with occurred_at at this instant or later.
    occurred_from: NotRequired[str]

    # Only submissions with occurred_at before this instant.
    occurred_until: NotRequired[str]

    # Only submissions that the service received at this instant or later. To follow new ones, use the
    # cursor.
    received_since: NotRequired[str]


ReportAnnotationHeaders = TypedDict(
    "ReportAnnotationHeaders",
    {
        "Idempotency-Key": NotRequired[str],
        "Prefer": NotRequired[str],
    },
)


ReportAnnotationsHeaders = TypedDict(
    "ReportAnnotationsHeaders",
    {
        "Idempotency-Key": NotRequired[str],
        "Prefer": NotRequired[str],
    },
)


class ExportAnnotationsQuery(TypedDict):
    # The format of the file.
    format: "ExportFormat"

    # The `id` in the last whole line of a file that was cut off. The answer begins with the row after it,
    # and has no header line: appended to the whole lines of that file, it completes the file.
    after: NotRequired[str]

    # Only submissions about this widget.
    widget_id: NotRequired[str]

    # Only annotations on this event.
    event_id: NotRequired[str]

    # Only annotations of this category.
    category: NotRequired["AnnotationCategory"]

    # Only submissions by this actor.
    actor_id: NotRequired[str]

    # Only submissions with occurred_at at this instant or later.
    occurred_from: NotRequired[str]

    # Only submissions with occurred_at before this instant.
    occurred_until: NotRequired[str]

    # Only submissions that the service received at this instant or later. To follow new ones, use the
    # cursor.
    received_since: NotRequired[str]


class GetAnnotationPath(TypedDict):
    # The id that the response to the submission had.
    id: str


class ListEventTypesQuery(TypedDict):
    # The most items that a page has; 100 by default.
    limit: NotRequired[int]

    # The next_cursor of an earlier page of the same list.
    cursor: NotRequired[str]


class ListWidgetsQuery(TypedDict):
    # The most items that a page has; 100 by default.
    limit: NotRequired[int]

    # The next_cursor of an earlier page of the same list.
    cursor: NotRequired[str]


class GetHubCapabilityManifestQuery(TypedDict):
    # The revision of the manifest; the latest by default.
    revision: NotRequired[int]


class PutHubCapabilityManifestHeaders(TypedDict):
    # `dry-run`, alone or as in `handling=strict; dry-run`: validate, and store nothing. The service
    # ignores other preferences.
    Prefer: NotRequired[str]


class ListRejectedSubmissionsQuery(TypedDict):
    # The most items that a page has; 100 by default.
    limit: NotRequired[int]

    # The next_cursor of an earlier page of the same list.
    cursor: NotRequired[str]

    # Only rejected submissions of this kind.
    kind: NotRequired["RejectedSubmissionKind"]

    # Only submissions that were rejected with this code.
    code: NotRequired[str]

    # Only submissions that the service received at this instant or later. To follow new ones, use the
    # cursor.
    received_since: NotRequired[str]


class GetRejectedSubmissionPath(TypedDict):
    # The id that the response to the submission had.
    id: str


class ReplayRejectedSubmissionsHeaders(TypedDict):
    # `dry-run`, alone or as in `handling=strict; dry-run`: validate, and store nothing. The service
    # ignores other preferences.
    Prefer: NotRequired[str]


class GetUsageQuery(TypedDict):
    # The period begins with the first hour that starts at this instant or later.
    since: NotRequired[str]

    # The period ends before the first hour that starts at this instant or later.
    until: NotRequired[str]


class BatchLine(TypedDict):
    """One line of an NDJSON response: the result of an item; or, as the last line, the totals, with error
    and help if the service could not read the rest of the stream.
    """

    # The index of the item, from 0.
    index: NotRequired[int]

    # The outcome of an item.
    status: NotRequired["ItemStatus"]

    # The id of the stored item; absent if it was rejected.
    id: NotRequired[str]

    # The reason for the rejection, for programs; absent if it is stored.
    code: NotRequired[str]

    # What is wrong; absent if it is stored.
    error: NotRequired[str]

    # What to do about it.
    help: NotRequired[str]

    # The place of the fault in the item (RFC 6901), or of the first of several faults.
    pointer: NotRequired[str]

    # Whether the same item may be accepted later without a change; absent if it is stored.
    retry: NotRequired[bool]

    # The number of items by outcome.
    totals: NotRequired["ItemTotals"]
