package dashboards

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"canopy/crm"
	"canopy/models"
)

// Timeline is a page of what happened to a record, newest first.
type Timeline struct {
	Items      []TimelineItem `json:"items"`
	NextCursor string         `json:"next_cursor,omitempty" doc:"Left out on the last page"`
}

// TimelineItem is one change, of the record itself or of one that belongs to it.
type TimelineItem struct {
	Position        uint64            `json:"position" doc:"Place in the log; 0 while it is not numbered yet"`
	HappenedAt      string            `json:"happened_at" format:"date-time"`
	RecordedAt      string            `json:"recorded_at" format:"date-time"`
	HappenedUnknown bool              `json:"happened_unknown,omitempty" doc:"The source knew no instant"`
	Actor           Actor             `json:"actor"`
	Cause           string            `json:"cause" doc:"screen, api, import:7, undo:7, …"`
	Kind            models.ChangeKind `json:"kind" enum:"created,updated,deleted,restored,restated"`
	Version         int64             `json:"version"`
	Object          string            `json:"object"`
	ID              string            `json:"id"`
	Title           string            `json:"title,omitempty"`
	Changes         []FieldChange     `json:"changes"`
}

// Actor is who made a change.
type Actor struct {
	Kind models.ActorKind `json:"kind" enum:"user,system"`
	ID   string           `json:"id,omitempty"`
	Name string           `json:"name"`
}

// FieldChange is one field before and after, in the JSON form of its kind.
type FieldChange struct {
	Field       string          `json:"field"`
	Label       string          `json:"label"`
	Before      json.RawMessage `json:"before"`
	After       json.RawMessage `json:"after"`
	BeforeTitle string          `json:"before_title,omitempty" doc:"Of a reference: the title of the record, where the reader may see it"`
	AfterTitle  string          `json:"after_title,omitempty"`
}

// ChangeFeed is a part of the log in order.
type ChangeFeed struct {
	Items []FeedItem `json:"items"`
	Next  uint64     `json:"next" doc:"The position to go on after; it moves past changes that the reader may not see"`
}

// FeedItem is one change with the whole record as it stood at its instant.
type FeedItem struct {
	TimelineItem
	Deleted bool   `json:"deleted"`
	Image   Values `json:"image"`
}

type timelineInput struct {
	RecordInput
	Limit  int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor string   `query:"cursor"`
	Of     []string `query:"of" maxItems:"20" doc:"Only changes of these objects, with a comma between, as in activity,task; the record's own where its object is among them"`
}

type changesInput struct {
	After uint64 `query:"after" doc:"The last position seen"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

func (s *Server) timelineRoutes() {
	handle(s, operation(http.MethodGet, "/records/{object}/{id}/timeline", "timeline", "records", "What happened to a record and what belongs to it"), s.timeline)
	handle(s, operation(http.MethodGet, "/changes", "list-changes", "records", "The change log, in order"), s.changes)
}

func (s *Server) timeline(ctx context.Context, reader models.Reader, in *timelineInput) (*body[Timeline], error) {
	object, number, err := s.find(in.RecordInput)
	if err != nil {
		return nil, err
	}
	for _, name := range in.Of {
		if _, err := s.parts.Records.Registry().Need(name); err != nil {
			return nil, models.FieldError("of", "there is no object %q", name).WithRemedy("GET /api/v1/objects lists them.")
		}
	}
	var before uint64
	if in.Cursor != "" {
		if before, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil || before == 0 {
			return nil, models.FieldError("cursor", "%q is no cursor of a timeline", in.Cursor).WithRemedy("Send next_cursor of the page before, or leave it out.")
		}
	}
	changes, err := s.parts.Records.Timeline(ctx, reader, object.Name, number, before, in.Limit, in.Of...)
	if err != nil {
		return nil, err
	}
	titles, err := s.titlesOf(ctx, reader, changes)
	if err != nil {
		return nil, err
	}
	out := Timeline{Items: make([]TimelineItem, len(changes))}
	for i := range changes {
		out.Items[i] = itemOf(&changes[i], titles)
	}
	if len(changes) == in.Limit {
		if last := changes[len(changes)-1].Position; last > 1 {
			out.NextCursor = strconv.FormatUint(last, 10)
		}
	}
	return &body[Timeline]{out}, nil
}

func (s *Server) changes(ctx context.Context, reader models.Reader, in *changesInput) (*body[ChangeFeed], error) {
	changes, next, err := s.parts.Records.Changes(ctx, reader, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	titles, err := s.titlesOf(ctx, reader, changes)
	if err != nil {
		return nil, err
	}
	out := ChangeFeed{Items: make([]FeedItem, len(changes)), Next: next}
	for i := range changes {
		c := &changes[i]
		out.Items[i] = FeedItem{TimelineItem: itemOf(c, titles), Deleted: c.Deleted, Image: c.Object.AppendImage(nil, c.Image)}
	}
	return &body[ChangeFeed]{out}, nil
}

// titlesOf names whom and what changes speak of: actors, and records that changed references point to.
func (s *Server) titlesOf(ctx context.Context, reader models.Reader, changes []models.Change) (map[string]string, error) {
	var keys []crm.RecordKey
	for i := range changes {
		if user := changes[i].Actor.User; user != 0 {
			keys = append(keys, crm.RecordKey{Object: "user", Number: user})
		}
		for _, f := range changes[i].Fields {
			for _, v := range []models.Value{f.Before, f.After} {
				if n, ok := v.(uint64); ok && f.Field.Kind == models.Reference {
					keys = append(keys, crm.RecordKey{Object: f.Field.To, Number: n})
				}
			}
		}
	}
	return s.parts.Records.TitlesOf(ctx, reader, keys)
}

func itemOf(c *models.Change, titles map[string]string) TimelineItem {
	item := TimelineItem{
		Position: c.Position, HappenedAt: instantText(c.HappenedAt), RecordedAt: instantText(c.RecordedAt), HappenedUnknown: c.HappenedUnknown,
		Actor: Actor{Kind: c.Actor.Kind, Name: "Canopy"}, Cause: c.Cause, Kind: c.Kind, Version: c.Version,
		Object: c.Object.Name, ID: c.Object.ID(c.Number), Changes: make([]FieldChange, len(c.Fields)),
	}
	if c.Actor.User != 0 {
		item.Actor.ID = publicID("user", c.Actor.User)
		item.Actor.Name = titles[item.Actor.ID]
	}
	if title := c.Object.Field(c.Object.Title); title.Index() < len(c.Image) {
		item.Title, _ = c.Image[title.Index()].(string)
	}
	for i, f := range c.Fields {
		item.Changes[i] = FieldChange{
			Field: f.Field.Name, Label: f.Field.Label, Before: f.Field.AppendJSON(nil, f.Before), After: f.Field.AppendJSON(nil, f.After),
			BeforeTitle: titleOf(f.Field, f.Before, titles), AfterTitle: titleOf(f.Field, f.After, titles),
		}
	}
	return item
}

func titleOf(f *models.Field, v models.Value, titles map[string]string) string {
	if n, ok := v.(uint64); ok && f.Kind == models.Reference {
		return titles[publicID(f.To, n)]
	}
	return ""
}
