package oauth

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// ListSessions tells a user where they are logged in.
func (h *Handlers) ListSessions(ctx context.Context, _ api.ListSessionsRequestObject) (api.ListSessionsResponseObject, error) {
	caller, err := user(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.Sessions.List(ctx, caller.Subject)
	if err != nil {
		return nil, err
	}
	answer := api.SessionList{Sessions: make([]api.Session, 0, len(list))}
	for _, s := range list {
		id, err := uuid.Parse(s.ID)
		if err != nil {
			return nil, err
		}
		answer.Sessions = append(answer.Sessions, api.Session{
			Id: id, ClientId: s.ClientID, UserAgent: s.UserAgent, Address: s.Address, Scopes: s.Scopes, Current: s.ID == caller.SessionID,
			CreatedAt: s.CreatedAt, UsedAt: s.RotatedAt, ExpiresAt: s.ExpiresAt,
		})
	}
	return api.ListSessions200JSONResponse(answer), nil
}

// EndSessions logs a user out everywhere.
func (h *Handlers) EndSessions(ctx context.Context, _ api.EndSessionsRequestObject) (api.EndSessionsResponseObject, error) {
	caller, err := user(ctx)
	if err != nil {
		return nil, err
	}
	err = h.DB.Write(ctx, func(tx *sql.Tx) error { return h.Sessions.EndAll(ctx, tx, caller.Subject, "") })
	if err != nil {
		return nil, err
	}
	return api.EndSessions204Response{}, nil
}

// EndCurrentSession logs the caller out.
func (h *Handlers) EndCurrentSession(ctx context.Context, _ api.EndCurrentSessionRequestObject) (api.EndCurrentSessionResponseObject, error) {
	caller, err := user(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.endSession(ctx, caller, caller.SessionID); err != nil {
		return nil, err
	}
	return api.EndCurrentSession204Response{}, nil
}

// EndSession logs one device of a user out.
func (h *Handlers) EndSession(ctx context.Context, request api.EndSessionRequestObject) (api.EndSessionResponseObject, error) {
	caller, err := user(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.endSession(ctx, caller, request.SessionId.String()); err != nil {
		return nil, err
	}
	return api.EndSession204Response{}, nil
}

func (h *Handlers) endSession(ctx context.Context, caller *auth.Principal, id string) error {
	err := h.Sessions.End(ctx, id, caller.Subject)
	if errors.Is(err, sqldb.ErrNotFound) {
		return problem.NotFound.New("there is no such session")
	}
	return err
}

// user is the caller of an operation that the document does not open to the anonymous.
func user(ctx context.Context) (*auth.Principal, error) {
	caller := auth.FromContext(ctx)
	if caller == nil {
		return nil, problem.Unauthorized.New("this operation needs a credential")
	}
	return caller, nil
}
