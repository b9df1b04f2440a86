package dashboards

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"canopy/models"
	"canopy/models/predicate"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

const specPath = "/api/openapi.json"

// APIVersion is the version of the HTTP API: its first part is that of the path.
const APIVersion = "1.0.0"

// humaConfig describes the API. huma's own routes for documents are off: serveSpec is the only one.
func humaConfig() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[models.Date](), reflect.TypeFor[dateText]())
	registry.RegisterTypeAlias(reflect.TypeFor[predicate.Node](), reflect.TypeFor[predicateTree]())
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Canopy", Version: APIVersion, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
				Description: "The CRM's records and their history, imports, and the rooms' numbers. Every error is a problem (RFC 9457) with the members code, field, row, remedy and details.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "An API token, made with canopy token create"},
					"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A session of the web; writes must come from the same origin"},
				},
			},
			Servers: []*huma.Server{{URL: "/"}},
			Tags: []*huma.Tag{
				{Name: "session"}, {Name: "records"}, {Name: "leads"}, {Name: "capture"}, {Name: "selling"}, {Name: "imports"}, {Name: "jobs"}, {Name: "runs"}, {Name: "trees"}, {Name: "operations"},
			},
		},
		Formats: map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}, DefaultFormat: "application/json",
	}
}

// dateText and predicateTree are how these types look on the wire.
type dateText struct{}

// Schema is a calendar date.
func (dateText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2017-06-26"}}
}

type predicateTree struct{}

// Schema is a node of a predicate, not spelled out further.
func (predicateTree) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "A predicate: and, or, not, or field, op and value"}
}

// schemaName names types of other packages after their package where that says more.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if strings.HasSuffix(t.PkgPath(), "/metrics/kpi") {
		return "Tree" + strings.TrimSuffix(name, "Result")
	}
	return name
}

func schemaOf(s *Server, v any) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v).Elem(), true, "")
}

// OpenAPI writes the document that describes the API, as docs/openapi.json holds it.
func OpenAPI() ([]byte, error) {
	s, err := New(Config{}, Parts{})
	if err != nil {
		return nil, err
	}
	return s.spec, nil
}

// openapi completes the document with the routes that huma does not know, and writes it.
func (s *Server) openapi() ([]byte, error) {
	doc := s.api.OpenAPI()
	for _, op := range slices.Concat(s.byHand(), s.filesByHand()) {
		doc.AddOperation(op)
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the API's description: %w", err)
	}
	return text, nil
}

func (s *Server) serveSpec(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/openapi+json")
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Response().SetBodyRaw(s.spec)
	return nil
}

// byHand describes the streaming routes and those without credentials.
func (s *Server) byHand() []*huma.Operation {
	form := func(properties map[string]*huma.Schema) *huma.RequestBody {
		return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: properties}},
		}}
	}
	file := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "CSV, XLSX, Parquet or Arrow"}
	start := s.described(operation(fiber.MethodPost, "/imports", "start-import", "imports", "Import a file"), "202", "application/json", schemaOf(s, (*models.Import)(nil)))
	start.RequestBody = form(map[string]*huma.Schema{
		"file":    file,
		"mapping": {Type: huma.TypeString, Description: "What the rows mean, in YAML; proposed from the file where it is left out"},
		"dry_run": {Type: huma.TypeBoolean, Description: "Write nothing, and say what would be refused"},
	})
	propose := s.described(operation(fiber.MethodPost, "/imports/propose", "propose-mapping", "imports", "Propose a mapping for a file"), "200", "application/json", schemaOf(s, (*MappingProposal)(nil)))
	propose.RequestBody = form(map[string]*huma.Schema{"file": file})
	preview := s.described(operation(fiber.MethodPost, "/imports/preview", "preview-import", "imports", "What an import would make of a file's first rows; nothing is written"), "200", "application/json", schemaOf(s, (*models.ImportPreview)(nil)))
	preview.RequestBody = form(map[string]*huma.Schema{"file": file, "mapping": {Type: huma.TypeString, Description: "In YAML; proposed from the file where it is left out"}})
	refused := s.described(operation(fiber.MethodGet, "/imports/{id}/refused.csv", "refused-rows", "imports", "The rows that an import refused, with reasons"), "200", "text/csv", &huma.Schema{Type: huma.TypeString})
	refused.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}}}
	jobID := []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{"export_7"}}}}
	refusedRecords := s.described(operation(fiber.MethodGet, "/jobs/{id}/refused.csv", "refused-records", "jobs", "The records that a job did not write, or that its undo kept, with reasons"), "200", "text/csv", &huma.Schema{Type: huma.TypeString})
	refusedRecords.Parameters = jobID
	exported := s.described(operation(fiber.MethodGet, "/exports/{id}/file", "export-file", "jobs", "The file that an export wrote; ranges of bytes are answered"), "200", "application/octet-stream", &huma.Schema{Type: huma.TypeString, Format: "binary"})
	exported.Parameters = jobID
	open := func(path, id, summary, kind string, schema *huma.Schema) *huma.Operation {
		op := s.described(huma.Operation{Method: fiber.MethodGet, Path: path, OperationID: id, Tags: []string{"operations"}, Summary: summary}, "200", kind, schema)
		op.Security = []map[string][]string{}
		return op
	}
	ready := open("/readyz", "readyz", "Whether Canopy can work, and what is missing", "application/json", schemaOf(s, (*Readiness)(nil)))
	ready.Responses["503"] = &huma.Response{Description: "Not ready", Content: ready.Responses["200"].Content}
	alive := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"status": {Type: huma.TypeString}}}
	return []*huma.Operation{
		s.formOperation(fiber.MethodGet, "show-form", "The page of a form"), s.formOperation(fiber.MethodPost, "send-form", "Send a form"), s.hookOperation(),
		start, propose, preview, refused, refusedRecords, exported, ready,
		open("/healthz", "healthz", "Whether the process is alive", "application/json", alive),
		open("/metrics", "metrics", "Figures for Prometheus: for programs on the same machine, and administrators", "text/plain", &huma.Schema{Type: huma.TypeString}),
		open(specPath, "openapi", "This document", "application/openapi+json", &huma.Schema{Type: huma.TypeObject}),
	}
}

// described gives an operation its answer and its problem.
func (s *Server) described(op huma.Operation, status, kind string, schema *huma.Schema) *huma.Operation {
	op.Responses = map[string]*huma.Response{
		status:    {Description: "OK", Content: map[string]*huma.MediaType{kind: {Schema: schema}}},
		"default": problemResponse(s),
	}
	return &op
}

func problemResponse(s *Server) *huma.Response {
	return &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{problemType: {Schema: schemaOf(s, (*Problem)(nil))}}}
}

// formOperation describes a form's page, which people without an account open and send.
func (s *Server) formOperation(method, id, summary string) *huma.Operation {
	op := s.described(huma.Operation{Method: method, Path: formsPath + "/{slug}", OperationID: id, Tags: []string{"capture"}, Summary: summary}, "200", "text/html", &huma.Schema{Type: huma.TypeString})
	op.Security = []map[string][]string{}
	op.Parameters = []*huma.Param{{Name: "slug", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	if method == fiber.MethodPost {
		op.Description = "Fields by name, and the hidden ones of the page. Faults are said beside the fields, with status 422."
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}}
	}
	return op
}

// hookOperation describes the address to which other systems post.
func (s *Server) hookOperation() *huma.Operation {
	op := s.described(huma.Operation{Method: fiber.MethodPost, Path: hooksPath + "/{slug}", OperationID: "deliver", Tags: []string{"capture"}, Summary: "Deliver a record from another system"}, "200", "application/json", schemaOf(s, (*HookAnswer)(nil)))
	op.Description = "Signed with the webhook's secret; the signature is good for five minutes. A delivery that comes again is answered as the first time. One that cannot be used is kept and can be played again."
	op.Security = []map[string][]string{}
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{
		{Name: "slug", In: "path", Required: true, Schema: text},
		{Name: "Canopy-Signature", In: "header", Required: true, Schema: text, Description: "t=<unix seconds>,v1=<hex HMAC-SHA256 of \"t.body\">"},
		{Name: "Canopy-Delivery", In: "header", Required: true, Schema: text, Description: "The sender's id of the delivery, the same when it is sent again"},
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}}
	return op
}
