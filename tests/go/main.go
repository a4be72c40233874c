// Call each operation with a generated client; print what the service answers as JSON.
// Arguments: the URL of the API, a hub's API key, the id of a widget.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	client "github.com/GIT_USER_ID/GIT_REPO_ID"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	server, key, widget := os.Args[1], os.Args[2], os.Args[3]
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: server}}
	service := client.NewAPIClient(configuration)
	api := service.InteractionEventsAPI
	ctx := context.WithValue(context.Background(), client.ContextAccessToken, key)
	at := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

	event := client.NewInteractionEvent(widget, "clicked", at)
	event.SetClientEventId("one")
	event.SetMetadata(map[string]any{"button": "approve"})
	stored, response, err := api.ReportInteractionEvent(ctx).InteractionEvent(*event).Execute()
	check(err)
	second := client.NewInteractionEvent(widget, "viewed", at)
	second.SetClientEventId("two")
	batch, batchResponse, err := api.ReportInteractionEvents(ctx).InteractionEvent([]client.InteractionEvent{*event, *second}).Execute()
	check(err)
	read, _, err := api.GetInteractionEvent(ctx, stored.Id).Execute()
	check(err)
	page, _, err := api.ListInteractionEvents(ctx).WidgetId(widget).Execute()
	check(err)
	exports := map[string]string{}
	for _, format := range []client.ExportFormat{client.NDJSON, client.CSV} {
		file, _, err := api.ExportInteractionEvents(ctx).Format(format).Execute()
		check(err)
		content, err := io.ReadAll(file)
		check(err)
		exports[string(format)] = string(content)
	}
	others := others(ctx, service, widget, at)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"status": response.StatusCode, "stored": stored, "batch_status": batchResponse.StatusCode, "batch": batch,
		"read": read, "listed": len(page.Items), "exports": exports, "others": others,
	}))
}

// others calls the operations that are not about events; it returns a value of each answer, by operation.
func others(ctx context.Context, service *client.APIClient, widget string, at time.Time) map[string]any {
	notes, capabilities, operations := service.AnnotationsAPI, service.CapabilitiesAPI, service.OperationsAPI
	values := map[string]any{}

	note := client.NewAnnotation(widget, client.QUESTION, "Why?")
	stored, _, err := notes.ReportAnnotation(ctx).Annotation(*note).Execute()
	check(err)
	batch, _, err := notes.ReportAnnotations(ctx).Annotation([]client.Annotation{*note}).Execute()
	check(err)
	values["reportAnnotations"] = batch.Totals.Created
	read, _, err := notes.GetAnnotation(ctx, stored.Id).Execute()
	check(err)
	values["getAnnotation"] = read.Body
	listed, _, err := notes.ListAnnotations(ctx).Category(client.QUESTION).Execute()
	check(err)
	values["listAnnotations"] = len(listed.Items)
	file, _, err := notes.ExportAnnotations(ctx).Format(client.NDJSON).Execute()
	check(err)
	content, err := io.ReadAll(file)
	check(err)
	values["exportAnnotations"] = strings.Count(string(content), "\n")

	types := []client.EventTypeDefinition{*client.NewEventTypeDefinition("go.tried", "It was tried.")}
	_, _, err = capabilities.PutHubCapabilityManifest(ctx).
		HubCapabilityManifest(*client.NewHubCapabilityManifest(types, []client.WidgetDefinition{})).Execute()
	check(err)
	manifest, _, err := capabilities.GetHubCapabilityManifest(ctx).Execute()
	check(err)
	values["getHubCapabilityManifest"] = manifest.EventTypes[0].Name
	eventTypes, _, err := capabilities.ListEventTypes(ctx).Limit(1000).Execute()
	check(err)
	values["listEventTypes"] = len(eventTypes.Items) > 0
	widgets, _, err := capabilities.ListWidgets(ctx).Execute()
	check(err)
	values["listWidgets"] = len(widgets.Items) > 0

	_, refused, err := service.InteractionEventsAPI.ReportInteractionEvent(ctx).
		InteractionEvent(*client.NewInteractionEvent(widget, "no.such.type", at)).Execute()
	if err == nil || refused == nil {
		check(fmt.Errorf("an event of an unknown type was accepted"))
	}
	values["refused"] = refused.StatusCode
	rejections, _, err := operations.ListRejectedSubmissions(ctx).Execute()
	check(err)
	rejection, _, err := operations.GetRejectedSubmission(ctx, rejections.Items[0].Id).Execute()
	check(err)
	values["getRejectedSubmission"] = rejection.Code
	replay := client.NewReplay()
	replay.SetIds([]string{rejection.Id})
	_, replayed, _ := operations.ReplayRejectedSubmissions(ctx).Replay(*replay).Execute() // its type is still unknown
	values["replayRejectedSubmissions"] = replayed.StatusCode
	usage, _, err := operations.GetUsage(ctx).Execute()
	check(err)
	values["getUsage"] = len(usage.Items) > 0
	return values
}
