package store

import "context"

// ErrLeaseLost and Number let tests play a sequencer that was suspended.
var ErrLeaseLost = errLeaseLost

// Number numbers under whatever lease the sequencer believes to hold.
func (s *Sequencer) Number(ctx context.Context) (int, error) { return s.number(ctx) }

// LimitInText writes a bound limit into a query's text.
var LimitInText = limitInText

// Execute lets tests change what no part of Canopy changes.
func (db *DB) Execute(ctx context.Context, query string) error {
	return db.Run(ctx, 0, func(ctx context.Context) error {
		_, err := db.exec(ctx, query)
		return err
	})
}
