// Package schemas holds the contracts with outsiders: a JSON Schema for the data
// of every event, and asyncapi.yaml, which says on which subjects they travel.
// README.md shows how to use them.
package schemas

import "embed"

// FS holds every schema, asyncapi.yaml and the examples, by file name.
//
//go:embed asyncapi.yaml envelope.json profile.json api.json
//go:embed drafted.json submitted.json paused.json resumed.json renewed.json withdrawn.json
//go:embed revised.json rejected.json suggestion-created.json
//go:embed examples
var FS embed.FS
