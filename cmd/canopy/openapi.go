package main

import (
	"context"
	"fmt"

	"canopy/dashboards"
)

// openapiCommand prints the description of the API; the front end's types are made from it.
type openapiCommand struct{}

// Run needs neither data nor engine: the description follows from the code.
func (*openapiCommand) Run(_ context.Context, s *streams) error {
	text, err := dashboards.OpenAPI()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, string(text))
	return err
}
