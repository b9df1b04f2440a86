package main

import (
	"canopy/dashboards"
	"canopy/web"
)

// webFiles gives the built pages in the API's words.
type webFiles struct{ web.Files }

// Find gives nil where there is no such file.
func (w webFiles) Find(path, acceptEncoding string) *dashboards.File {
	f := w.Files.Find(path, acceptEncoding)
	if f == nil {
		return nil
	}
	return &dashboards.File{Body: f.Body, ContentType: f.ContentType, Encoding: f.Encoding, ETag: f.ETag, Immutable: f.Immutable}
}
