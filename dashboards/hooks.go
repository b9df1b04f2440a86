package dashboards

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"canopy/crm"
	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

const hooksPath = apiPrefix + "/hooks"

// HookAnswer says what became of a delivery.
type HookAnswer struct {
	State    string `json:"state" enum:"accepted,dead"`
	Delivery string `json:"delivery" doc:"Id of the kept delivery"`
	Record   string `json:"record,omitempty" doc:"Id of the record that it made or changed"`
	Repeated bool   `json:"repeated,omitempty" doc:"This delivery had come before; nothing was written"`
	Reason   string `json:"reason,omitempty" doc:"Of a dead one: what was wrong"`
}

// HookSecret is a webhook's new secret. It is shown this once.
type HookSecret struct {
	Secret string `json:"secret"`
}

type webhookInput struct {
	ID string `path:"id" maxLength:"80" example:"webhook_source_1"`
}

type deliveryInput struct {
	ID string `path:"id" maxLength:"80" example:"webhook_delivery_1"`
}

func (s *Server) webhookRoutes() {
	handle(s, operation(http.MethodPost, "/webhooks/{id}/secret", "make-webhook-secret", "capture", "Make a new secret for a webhook; the one before ends"), s.makeHookSecret)
	replay := operation(http.MethodPost, "/webhooks/deliveries/{id}/replay", "replay-delivery", "capture", "Play a dead delivery again by the mapping of today")
	replay.DefaultStatus = http.StatusOK
	handle(s, replay, s.replayDelivery)
}

// takeHook takes a delivery of another system. Whoever signs is known by the signature; nothing else is asked.
func (s *Server) takeHook(c *fiber.Ctx) error {
	ctx := c.UserContext()
	c.Set(fiber.HeaderCacheControl, "no-store")
	if _, ok := s.hookLimit.take(requestOf(ctx).address); !ok {
		return s.fail(c, models.Errorf(models.Exhausted, "too many deliveries at once").WithRemedy("Send them again in a moment."))
	}
	body, err := s.bounded(c, crm.MaxHookBody)
	if err != nil {
		return s.fail(c, err)
	}
	if s.parts.Secrets == nil {
		return s.fail(c, models.Errorf(models.Unavailable, "webhooks are not available on this server"))
	}
	h, err := s.parts.Records.HookBySlug(ctx, c.Params("slug"))
	if err != nil {
		return s.fail(c, err)
	}
	secret, err := s.parts.Secrets.Secret(ctx, h.SecretName())
	if err != nil {
		return s.fail(c, err)
	}
	if err := crm.CheckSignature(c.Get("Canopy-Signature"), body, secret, s.config.Now()); err != nil {
		return s.fail(c, err)
	}
	done, err := s.parts.Records.Deliver(ctx, h, c.Get("Canopy-Delivery"), body)
	if err != nil {
		return s.fail(c, err)
	}
	if done.Wrong != nil && !done.Repeated {
		p := s.problemOf(ctx, done.Wrong)
		p.Status, p.Title = http.StatusUnprocessableEntity, http.StatusText(http.StatusUnprocessableEntity)
		return s.fail(c, p)
	}
	return c.JSON(hookAnswer(done))
}

func hookAnswer(done crm.Delivered) HookAnswer {
	answer := HookAnswer{State: done.State, Delivery: publicID("webhook_delivery", done.Delivery), Record: done.Record, Repeated: done.Repeated}
	if done.Wrong != nil {
		answer.Reason = done.Wrong.Error()
	}
	return answer
}

func (s *Server) makeHookSecret(ctx context.Context, reader models.Reader, in *webhookInput) (*body[HookSecret], error) {
	if err := needRole(reader, models.Administrator, "making secrets"); err != nil {
		return nil, err
	}
	n, err := models.ParseID("webhook_source", in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.parts.Records.Get(ctx, reader, "webhook_source", n, models.Cutoff{}); err != nil {
		return nil, err
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails: it ends the program instead
	secret := base64.RawURLEncoding.EncodeToString(random)
	_, err = s.parts.Secrets.KeepSecret(ctx, (&crm.Hook{Number: n}).SecretName(), []byte(secret), s.config.Now(), true)
	return &body[HookSecret]{HookSecret{secret}}, err
}

func (s *Server) replayDelivery(ctx context.Context, reader models.Reader, in *deliveryInput) (*body[HookAnswer], error) {
	n, err := models.ParseID("webhook_delivery", in.ID)
	if err != nil {
		return nil, err
	}
	done, err := s.parts.Records.Replay(ctx, reader, n)
	if err != nil {
		return nil, err
	}
	return &body[HookAnswer]{hookAnswer(done)}, nil
}
