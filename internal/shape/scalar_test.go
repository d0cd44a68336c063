package shape_test

import (
	"math"
	"testing"
	"time"

	"idpool/internal/shape"
)

func TestParseInteger(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-12": -12, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		if got, ok := shape.ParseInteger(text); !ok || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "-", "+1", " 1", "1 ", "01", "-01", "00", "1.0", "1e0", "1E2", "0x10", "1_000", "９", "9223372036854775808", "true",
	} {
		if got, ok := shape.ParseInteger(text); ok {
			t.Errorf("%q: got %d, want it refused", text, got)
		}
	}
}

func TestParseFloat(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "10.8": 10.8, "-2.5e-3": -0.0025, "1E2": 100, "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)} {
		if got, ok := shape.ParseFloat(text); !ok || got != want {
			t.Errorf("%s: got %g, %v, want %g", text, got, ok, want)
		}
	}
	if got, ok := shape.ParseFloat("NaN"); !ok || !math.IsNaN(got) {
		t.Errorf("got %g, %v, want NaN", got, ok)
	}
	for _, text := range []string{"", "nan", "inf", "infinity", "+Infinity", "0x1p-2", "1_0", "1e400", "1,5", " 1"} {
		if got, ok := shape.ParseFloat(text); ok {
			t.Errorf("%q: got %g, want it refused", text, got)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for want, f := range map[string]float64{
		"0": 0, "10.8": 10.8, "1234.5": 1234.5, "123456789.12345679": 123456789.12345679, "100000000000000000000": 1e20,
		"1e+21": 1e21, "1e-07": 1e-7, "NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
	} {
		if got := string(shape.AppendFloat(nil, f)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestParseBlob(t *testing.T) {
	if got, ok := shape.ParseBlob("Zm9v"); !ok || string(got) != "foo" {
		t.Errorf("got %q, %v, want foo", got, ok)
	}
	for _, text := range []string{"Zm9", "Zg", "Zh==", "Zm9v\n", "Zm\r\n9v", "Zm_v", "Zm9v=", "****"} {
		if got, ok := shape.ParseBlob(text); ok {
			t.Errorf("%q: got %q, want it refused", text, got)
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2018, 9, 27, 18, 34, 37, 988_900_000, time.FixedZone("", 3600))
	for format, want := range map[shape.TimeFormat]string{
		shape.Epoch:    "1538069677.988",
		shape.ISO8601:  "2018-09-27T17:34:37.988Z",
		shape.Seconds:  "2018-09-27T17:34:37Z",
		shape.HTTPDate: "Thu, 27 Sep 2018 17:34:37 GMT",
	} {
		got := string(format.Append(nil, at))
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		back, ok := format.Parse(got)
		if !ok || string(format.Append(nil, back)) != want {
			t.Errorf("%s: got back %v, %v, want the same", want, back, ok)
		}
	}
	for millis, want := range map[int64]string{
		0: "0", 1: "0.001", 10: "0.01", 100: "0.1", 1000: "1", -1: "-0.001", -1500: "-1.5", 1486747083000: "1486747083", 1e15: "1000000000000",
	} {
		if got := string(shape.Epoch.Append(nil, time.UnixMilli(millis))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, ok := shape.Epoch.Parse("1.538069677988E9"); !ok || got.UnixMilli() != 1538069677988 {
		t.Errorf("got %v, %v, want an exponent read", got, ok)
	}
}

func TestTimesRefuse(t *testing.T) {
	for format, texts := range map[shape.TimeFormat][]string{
		shape.Epoch:    {"", "now", "NaN", "Infinity", "-Infinity", "1e300", "253402300800", "-62135596801"},
		shape.ISO8601:  {"", "2018-09-27", "2018-09-27T17:34:37", "2018-13-27T17:34:37Z", "0000-01-01T00:00:00Z", "2018-09-27T17:34:37,5Z", "2018-09-27 17:34:37Z", "10000-01-01T00:00:00Z"},
		shape.HTTPDate: {"", "Fri, 27 Sep 2018 17:34:37 GMT", "Thu, 27 Sep 2018 17:34:37 UTC", "Thu, 27 Sep 2018 17:34:37.5 GMT"},
	} {
		for _, text := range texts {
			if got, ok := format.Parse(text); ok {
				t.Errorf("%q: got %v, want it refused", text, got)
			}
		}
	}
}
