package awsjson

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"idpool/internal/shape"
)

// Encode appends the body for a pointer to a struct of the Shape's type: members in the order of the struct, absent ones
// left out, empty lists and maps kept, maps in the order of their keys, times as numbers of seconds. A nil out, for an
// operation without output, appends nothing. It panics on any other type: a bug that the first call shows.
func Encode(dst []byte, sh *shape.Shape, out any) []byte {
	if out == nil {
		return dst
	}
	structure, err := sh.Target(out)
	if err != nil {
		panic(fmt.Errorf("awsjson: %w", err))
	}
	return appendStructure(dst, sh, structure)
}

func appendStructure(dst []byte, sh *shape.Shape, v reflect.Value) []byte {
	dst = append(dst, '{')
	comma := false
	for i := range sh.Members {
		m := &sh.Members[i]
		value, ok := m.Get(v)
		if !ok {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = append(dst, '"') // names are checked to need no escapes
		dst = append(dst, m.Name...)
		dst = append(dst, '"', ':')
		dst = appendValue(dst, m.Shape, value, m.Time.Or(shape.Epoch))
	}
	return append(dst, '}')
}

func appendValue(dst []byte, sh *shape.Shape, v reflect.Value, times shape.TimeFormat) []byte {
	switch sh.Kind {
	case shape.KindString:
		return appendString(dst, v.String())
	case shape.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case shape.KindInteger:
		return strconv.AppendInt(dst, v.Int(), 10)
	case shape.KindFloat:
		return appendFloat(dst, v.Float())
	case shape.KindTime:
		return appendTime(dst, v.Interface().(time.Time), times)
	case shape.KindBlob:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes())
		return append(dst, '"')
	case shape.KindList:
		return appendList(dst, sh, v, times)
	case shape.KindMap:
		return appendMap(dst, sh, v, times)
	}
	return appendStructure(dst, sh, v)
}

// appendString writes a string with the fewest escapes. Bytes that are not UTF-8 become U+FFFD; the error says only that.
func appendString(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(shape.AppendFloat(append(dst, '"'), f), '"')
	}
	return shape.AppendFloat(dst, f)
}

func appendTime(dst []byte, t time.Time, format shape.TimeFormat) []byte {
	if format == shape.Epoch {
		return format.Append(dst, t)
	}
	return append(format.Append(append(dst, '"'), t), '"')
}

func appendList(dst []byte, sh *shape.Shape, v reflect.Value, times shape.TimeFormat) []byte {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, sh.Elem, v.Index(i), times)
	}
	return append(dst, ']')
}

func appendMap(dst []byte, sh *shape.Shape, v reflect.Value, times shape.TimeFormat) []byte {
	dst = append(dst, '{')
	for i, k := range shape.SortedKeys(v) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, k), ':')
		dst = appendValue(dst, sh.Elem, v.MapIndex(reflect.ValueOf(k)), times)
	}
	return append(dst, '}')
}
