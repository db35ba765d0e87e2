package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-faster/jx"

	"example.com/gatehouse/bench/byhand"
	"example.com/gatehouse/bench/decode/gatehouseapi"
	"example.com/gatehouse/bench/decode/ogenapi"
	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/validation"
)

// implementation is a way to decode and validate a body. decode returns the model that a handler would get, or what is
// wrong with the body: as much as the implementation makes before anything of an answer is written.
type implementation struct {
	name   string
	decode func(body []byte) (any, error)
}

// The implementations, as the tables name them.
const (
	gatehouseName = "gatehouse"
	byhandName    = "encoding/json by hand"
	ogenName      = "ogen"
	kin30Name     = "kin-openapi 3.0"
	kin31Name     = "kin-openapi 3.1"
	ajvName       = "Fastify's ajv"
)

// itemImplementations decode the body of POST /items.
func itemImplementations() ([]implementation, error) {
	kin30, err30 := kinFilter(document30, "3.0.3", "/items")
	kin31, err31 := kinFilter(api.OpenapiJSON, "3.1.0", "/items")
	body, err := jsonBody(api.Operations(), "createItem")
	return []implementation{
		{gatehouseName, func(data []byte) (any, error) {
			var violations validation.Violations
			item := new(api.CreateItemJSONRequestBody)
			if err := body.Decode(data, item, &violations); err != nil {
				return nil, err
			}
			return item, violations.Err()
		}},
		{byhandName, func(data []byte) (any, error) { return byHand(data, new(byhand.NewItem)) }},
		{ogenName, func(data []byte) (any, error) { return ogen(data, new(ogenapi.NewItem)) }},
		{kin30Name, func(data []byte) (any, error) { return kin(kin30, data, new(byhand.NewItem)) }},
		{kin31Name, func(data []byte) (any, error) { return kin(kin31, data, new(byhand.NewItem)) }},
	}, errors.Join(err30, err31, err)
}

// orderImplementations decode the body of POST /orders.
func orderImplementations() ([]implementation, error) {
	kin30, err30 := kinFilter(document30, "3.0.3", "/orders")
	kin31, err31 := kinFilter(document30, "3.1.0", "/orders")
	body, err := jsonBody(gatehouseapi.Operations(), "createOrder")
	return []implementation{
		{gatehouseName, func(data []byte) (any, error) {
			var violations validation.Violations
			order := new(gatehouseapi.CreateOrderJSONRequestBody)
			if err := body.Decode(data, order, &violations); err != nil {
				return nil, err
			}
			if err := violations.Err(); err != nil {
				return nil, err
			}
			// oapi-codegen's model of alternatives is JSON, decoded where it is used: that is part of the work.
			_, err := order.Payment.ValueByDiscriminator()
			return order, err
		}},
		{byhandName, func(data []byte) (any, error) { return byHand(data, byhand.NewOrder()) }},
		{ogenName, func(data []byte) (any, error) { return ogen(data, new(ogenapi.Order)) }},
		{kin30Name, func(data []byte) (any, error) { return kin(kin30, data, byhand.NewOrder()) }},
		{kin31Name, func(data []byte) (any, error) { return kin(kin31, data, byhand.NewOrder()) }},
	}, errors.Join(err30, err31, err)
}

// jsonBody returns the row of an operation table that the guard decodes a body by.
func jsonBody(operations []guard.Operation, id string) (guard.Body, error) {
	for _, op := range operations {
		if op.ID == id && len(op.Bodies) == 1 {
			return op.Bodies[0], nil
		}
	}
	return guard.Body{}, fmt.Errorf("the operation %s has no body", id)
}

// byHand decodes with encoding/json, and checks what came of it.
func byHand(data []byte, model interface{ Validate() []byhand.Violation }) (any, error) {
	if status, detail := byhand.Decode(bytes.NewReader(data), model); status != 0 {
		return nil, &byhand.Refused{Status: status, Detail: detail}
	}
	if violations := model.Validate(); len(violations) > 0 {
		return nil, &byhand.Refused{Status: 422, Detail: "see errors", Violations: violations}
	}
	return model, nil
}

// ogen does what the generated decodeCreateItemRequest does once it has read the body.
func ogen(data []byte, model interface {
	Decode(*jx.Decoder) error
	Validate() error
}) (any, error) {
	d := jx.DecodeBytes(data)
	if err := model.Decode(d); err != nil {
		return nil, err
	}
	if err := d.Skip(); err != io.EOF {
		return nil, errors.New("unexpected trailing data")
	}
	return model, model.Validate()
}
