// Command decode compares what the generated decoder of a body costs with other ways to decode and validate it: see ../README.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"example.com/gatehouse/bench/decode/gatehouseapi"
	"example.com/gatehouse/gen/api"
)

type options struct {
	rounds int
	span   time.Duration
	ajv    string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 60, "rounds, each with all implementations and all bodies")
	flag.DurationVar(&o.span, "span", 2*time.Millisecond, "CPU time of each figure of a round")
	flag.StringVar(&o.ajv, "ajv", "decode/ajv", "the folder of ajv's package.json, '' to leave it out")
	flag.Parse()
	// The garbage collector works beside the program where it has a core of its own: with one core its work is counted.
	runtime.GOMAXPROCS(1)
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "decode:", err)
		os.Exit(1)
	}
}

func run(o options, out io.Writer) error {
	if o.rounds < 1 || o.span <= 0 {
		return errors.New("rounds and span must be positive")
	}
	subjects, err := subjects()
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if err := checkAnswers(s); err != nil {
			return fmt.Errorf("the implementations do not do the same: %w", err)
		}
	}
	for _, s := range subjects {
		if err := compare(o, s, out); err != nil {
			return err
		}
	}
	return nil
}

func subjects() ([]subject, error) {
	items, err1 := itemImplementations()
	orders, err2 := orderImplementations()
	itemSchema, err3 := jsonSchema(api.OpenapiJSON, "NewItem")
	orderSchema, err4 := jsonSchema(gatehouseapi.OpenapiJSON, "Order")
	return []subject{
		{name: "the item body of POST /items", implementations: items, samples: itemSamples(), schema: itemSchema, whole: "all members", mix: "64 items"},
		{name: "an order, which has a default, a map and alternatives", implementations: orders, samples: orderSamples(), schema: orderSchema, whole: "all members", mix: "64 orders"},
	}, errors.Join(err1, err2, err3, err4)
}

// compare measures a subject round by round and prints the figures.
func compare(o options, s subject, out io.Writer) (err error) {
	ajv, err := startAjv(o.ajv, s, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ajv.stop()) }()
	f := figures{}
	f.prepare(s, o.span)
	for number := range o.rounds {
		f.round(s, number)
		if err := ajv.round(s, f, o.span); err != nil {
			return err
		}
	}
	f.print(s, out)
	return nil
}
