package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// checkAnswers returns how the implementations differ from what the samples say: each must accept and refuse what it should
// and give a model that holds what was sent.
func checkAnswers(s subject) error {
	var wrong []error
	for _, sample := range s.samples {
		for _, implementation := range s.implementations {
			for _, body := range sample.bodies {
				if err := checkAnswer(sample, implementation, body); err != nil {
					wrong = append(wrong, fmt.Errorf("%s, %s, %s: %w", s.name, sample.name, implementation.name, err))
				}
			}
		}
	}
	return errors.Join(wrong...)
}

func checkAnswer(s sample, i implementation, body string) error {
	model, err := i.decode([]byte(body))
	switch {
	case s.refused && s.passedBy[i.name] != "":
		if err != nil {
			return fmt.Errorf("it refuses what it is known to accept: %w", err)
		}
		return nil
	case s.refused && err == nil:
		return errors.New("it accepts the body")
	case s.refused:
		return nil
	case err != nil:
		return fmt.Errorf("it refuses %s: %w", body, err)
	}
	encoded, err := json.Marshal(model)
	if err != nil {
		return err
	}
	var want, got map[string]any
	if err := errors.Join(json.Unmarshal([]byte(body), &want), json.Unmarshal(encoded, &got)); err != nil {
		return err
	}
	if _, isOrder := want["lines"]; isOrder && want["currency"] == nil {
		want["currency"] = "EUR" // the default
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("it gives %v instead of %v", got, want)
	}
	return nil
}
