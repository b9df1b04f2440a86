package dashboards

import "context"

// Files are the built web pages. Find gives nil where there is no such file.
type Files interface {
	Find(path, acceptEncoding string) *File
}

// File is one file of the web as it goes out.
type File struct {
	Body        []byte
	ContentType string
	Encoding    string // "br", "gzip" or empty
	ETag        string // strong, in quotes
	Immutable   bool   // its name changes with its content
}

// Check is one thing that must be well before Canopy is ready.
type Check struct {
	Name string
	// Ready gives nil where all is well. It is called with a deadline. A models.Error's message is shown, others are logged.
	Ready func(ctx context.Context) error
}
