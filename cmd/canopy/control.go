package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"canopy/models"
)

// control is how the tools on the same machine talk to a running server: a file in the data directory, readable by its
// owner only, with the server's address and a token that dies with it.
type control struct {
	URL   string `json:"url"`
	Token string `json:"token"`

	client http.Client
}

func controlPath(data string) string { return filepath.Join(data, "control.json") }

// write puts the control file in place; the file that was there is replaced at once.
func (c *control) write(data string) error {
	text, err := json.Marshal(map[string]string{"url": c.URL, "token": c.Token})
	if err != nil {
		return err
	}
	next := controlPath(data) + ".next"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("write control file: %w", err)
	}
	return os.Rename(next, controlPath(data))
}

// running finds the server that works on a data directory; nil where none does.
func running(ctx context.Context, data string) (*control, error) {
	text, err := os.ReadFile(controlPath(data))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read control file: %w", err)
	}
	c := &control{client: http.Client{Timeout: time.Minute}}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, nil // half a file was left by a server that died: none is running
	}
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := c.call(short, http.MethodGet, "/api/v1/me", nil, nil); err != nil {
		return nil, nil // nobody answers under this token: none is running
	}
	return c, nil
}

// call sends JSON and reads JSON; a problem response comes back as the models.Error that it was.
func (c *control) call(ctx context.Context, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	return c.send(ctx, method, path, "application/json", content, into)
}

func (c *control) send(ctx context.Context, method, path, contentType string, content io.Reader, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	if content != nil {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return problem(response)
	}
	if into == nil {
		return nil
	}
	if w, ok := into.(io.Writer); ok {
		_, err := io.Copy(w, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func problem(response *http.Response) error {
	said := &models.Error{Code: models.Internal}
	var body struct {
		Code    models.Code    `json:"code"`
		Title   string         `json:"title"`
		Detail  string         `json:"detail"`
		Field   string         `json:"field"`
		Row     int64          `json:"row"`
		Remedy  string         `json:"remedy"`
		Details []models.Error `json:"details"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	said.Code, said.Message, said.Field, said.Row, said.Remedy, said.Details = body.Code, body.Detail, body.Field, body.Row, body.Remedy, body.Details
	if said.Message == "" {
		said.Message = body.Title
	}
	return said
}
