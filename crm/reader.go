package crm

import (
	"context"
	"fmt"

	"canopy/models"
)

// ReaderOf gives a user's rights as they are today, for work that goes on in the user's name. A user who is gone or not
// active is unauthenticated.
func (a *Access) ReaderOf(ctx context.Context, user uint64) (models.Reader, error) {
	if user == 0 {
		return models.System(), nil
	}
	account, err := a.store.AccountOf(ctx, user)
	if err != nil {
		return models.Reader{}, fmt.Errorf("look up user: %w", err)
	}
	if account == nil || !account.Active {
		return models.Reader{}, errNotSignedIn()
	}
	return account.reader(false), nil
}
