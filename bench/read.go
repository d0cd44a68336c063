package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// readCommand reads the figures that a run wrote, and says what is missing: so that what others read can be read.
type readCommand struct {
	File     string `arg:"" help:"What --json named."`
	Postgres string `env:"IDPOOL_TEST_POSTGRES" help:"Whether there must be rows on PostgreSQL."`
}

// Run reads and checks.
func (c *readCommand) Run() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	f, err := readFigures(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return f.complete(c.Postgres != "")
}

func readFigures(text []byte) (*figures, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	f := &figures{}
	return f, d.Decode(f)
}

// complete wants all rows, the latency and all floods, with figures that can be.
func (f *figures) complete(withPostgres bool) error {
	there := map[string]bool{}
	for _, l := range f.Rows {
		there[l.Name] = l.CPU > 0 && l.Floor > 0 && l.PerSec > 0 && l.Ratio > 0 && l.Low <= l.High
	}
	for _, row := range rows {
		if !there[row.name] && (withPostgres || row.at.engine != "postgres") {
			return fmt.Errorf("no figures of the row %q", row.name)
		}
	}
	if n := len(f.Latency.Idpool); n == 0 || n != len(f.Latency.Floor) {
		return fmt.Errorf("latency in %d and %d turns", n, len(f.Latency.Floor))
	}
	if len(f.Floods) != 2*len(scenes) {
		return fmt.Errorf("%d floods, want each of %d scenes before two programs", len(f.Floods), len(scenes))
	}
	for _, flood := range f.Floods {
		if attacked := flood.Scene != scenes[0].name; flood.P50 <= 0 || flood.P99 < flood.P50 || flood.Honest == 0 || attacked != (flood.Attack.Sent > 0) {
			return fmt.Errorf("the flood %q of the program %s: %+v", flood.Scene, flood.Program, flood)
		}
	}
	if f.Binary == 0 || f.Startup <= 0 || len(f.Memory) == 0 || len(f.PerRow) == 0 || len(f.Growth) == 0 || len(f.Reads) == 0 {
		return fmt.Errorf("no size, start-up, memory, disk or reads")
	}
	return nil
}
