"""The operation table: each operationId of the contracts and the function that serves it.

This is the only place that joins contracts and code. A new operation needs a row here, a function in the module of its
noun, and an operation in a document.
"""

from handlers import (
    annotations,
    event_types,
    hub_capability_manifests,
    interaction_events,
    rejected_submissions,
    usage,
    widgets,
)
from openapi.serving.operations import OperationTable

# Documents that were published before 2026-12 name modules. These rows can go when no database holds such a document.
_FORMER_NAMES = {
    "handlers.interaction_events.create": "reportInteractionEvent",
    "handlers.interaction_events.create_batch": "reportInteractionEvents",
    "handlers.interaction_events.list_": "listInteractionEvents",
    "handlers.interaction_events.export": "exportInteractionEvents",
    "handlers.interaction_events.get": "getInteractionEvent",
    "handlers.annotations.create": "reportAnnotation",
    "handlers.annotations.create_batch": "reportAnnotations",
    "handlers.annotations.list_": "listAnnotations",
    "handlers.annotations.export": "exportAnnotations",
    "handlers.annotations.get": "getAnnotation",
    "handlers.event_types.list_": "listEventTypes",
    "handlers.widgets.list_": "listWidgets",
    "handlers.hub_capability_manifests.get": "getHubCapabilityManifest",
    "handlers.hub_capability_manifests.put": "putHubCapabilityManifest",
    "handlers.rejected_submissions.list_": "listRejectedSubmissions",
    "handlers.rejected_submissions.get": "getRejectedSubmission",
    "handlers.rejected_submissions.replay": "replayRejectedSubmissions",
    "handlers.usage.get": "getUsage",
}

_READ_EVENTS = ("getInteractionEvent", "listInteractionEvents", "exportInteractionEvents")
_READ_ANNOTATIONS = ("getAnnotation", "listAnnotations", "exportAnnotations")

OPERATIONS = OperationTable(
    {
        "reportInteractionEvent": interaction_events.create,
        "reportInteractionEvents": interaction_events.create_batch,
        "listInteractionEvents": interaction_events.list_,
        "exportInteractionEvents": interaction_events.export,
        "getInteractionEvent": interaction_events.get,
        "reportAnnotation": annotations.create,
        "reportAnnotations": annotations.create_batch,
        "listAnnotations": annotations.list_,
        "exportAnnotations": annotations.export,
        "getAnnotation": annotations.get,
        "listEventTypes": event_types.list_,
        "listWidgets": widgets.list_,
        "getHubCapabilityManifest": hub_capability_manifests.get,
        "putHubCapabilityManifest": hub_capability_manifests.put,
        "listRejectedSubmissions": rejected_submissions.list_,
        "getRejectedSubmission": rejected_submissions.get,
        "replayRejectedSubmissions": rejected_submissions.replay,
        "getUsage": usage.get,
    },
    _FORMER_NAMES,
    {
        "reportInteractionEvent": _READ_EVENTS,
        "reportInteractionEvents": _READ_EVENTS,
        "reportAnnotation": _READ_ANNOTATIONS,
        "reportAnnotations": _READ_ANNOTATIONS,
    },
)
