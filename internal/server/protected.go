package server

import (
	"context"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
)

// protected answers who is calling. The operations differ in what the document demands, not in what they do.
type protected struct{}

func (protected) GetProtected(ctx context.Context, _ api.GetProtectedRequestObject) (api.GetProtectedResponseObject, error) {
	who, err := whoAmI(ctx)
	return api.GetProtected200JSONResponse(who), err
}

func (protected) GetProtectedBasic(ctx context.Context, _ api.GetProtectedBasicRequestObject) (api.GetProtectedBasicResponseObject, error) {
	who, err := whoAmI(ctx)
	return api.GetProtectedBasic200JSONResponse(who), err
}

func (protected) GetProtectedBearer(ctx context.Context, _ api.GetProtectedBearerRequestObject) (api.GetProtectedBearerResponseObject, error) {
	who, err := whoAmI(ctx)
	return api.GetProtectedBearer200JSONResponse(who), err
}

func (protected) GetProtectedApiKey(ctx context.Context, _ api.GetProtectedApiKeyRequestObject) (api.GetProtectedApiKeyResponseObject, error) {
	who, err := whoAmI(ctx)
	return api.GetProtectedApiKey200JSONResponse(who), err
}

func (protected) GetProtectedBearerAndApiKey(ctx context.Context, _ api.GetProtectedBearerAndApiKeyRequestObject) (api.GetProtectedBearerAndApiKeyResponseObject, error) {
	who, err := whoAmI(ctx)
	return api.GetProtectedBearerAndApiKey200JSONResponse(who), err
}

func (protected) GetProtectedOptional(ctx context.Context, _ api.GetProtectedOptionalRequestObject) (api.GetProtectedOptionalResponseObject, error) {
	who, err := whoAmI(ctx)
	return api.GetProtectedOptional200JSONResponse(who), err
}

func whoAmI(ctx context.Context) (api.WhoAmI, error) {
	caller := auth.FromContext(ctx)
	if caller == nil {
		return api.WhoAmI{Authenticated: false, Schemes: []string{}, Scopes: []string{}}, nil
	}
	subject, err := uuid.Parse(caller.Subject)
	if err != nil {
		return api.WhoAmI{}, err
	}
	return api.WhoAmI{Authenticated: true, Subject: &subject, Schemes: caller.Schemes, Scopes: caller.Scopes}, nil
}
