// Report events with a generated client, read them back and export them; print what the service answers as JSON.
// Arguments: the URL of the API, a hub's API key, the id of a widget.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
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
	api := client.NewAPIClient(configuration).InteractionEventsAPI
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
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"status": response.StatusCode, "stored": stored, "batch_status": batchResponse.StatusCode, "batch": batch,
		"read": read, "listed": len(page.Items), "exports": exports,
	}))
}
