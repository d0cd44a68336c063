package awsquery

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"idpool/internal/shape"
)

// usualSize holds most answers, in bytes; others make the buffer grow.
const usualSize = 2048

// Encode writes the answer of an operation: out, a pointer to a struct of the Shape's type, inside the protocol's
// envelope (sts spec §1.1). Absent members are left out, empty lists and maps kept, maps written in the order of their
// keys, times in UTC to the whole second. A nil out, for an operation without output, leaves the result element out.
// The action must be a name of ours. It panics on an out of any other type: a bug that the first call shows.
func Encode(action, namespace, requestID string, sh *shape.Shape, out any) []byte {
	dst := append(make([]byte, 0, usualSize), '<')
	dst = append(dst, action...)
	dst = append(dst, `Response xmlns="`...)
	dst = append(appendText(dst, namespace), '"', '>')
	if out != nil {
		structure, err := sh.Target(out)
		if err != nil {
			panic(fmt.Errorf("awsquery: %w", err))
		}
		dst = appendStart(dst, action+"Result")
		dst = appendStructure(dst, sh, structure)
		dst = appendEnd(dst, action+"Result")
	}
	dst = appendStart(dst, "ResponseMetadata")
	dst = appendElement(dst, "RequestId", requestID)
	dst = appendEnd(dst, "ResponseMetadata")
	return appendEnd(dst, action+"Response")
}

func appendStructure(dst []byte, sh *shape.Shape, v reflect.Value) []byte {
	for i := range sh.Members {
		m := &sh.Members[i]
		if value, ok := m.Get(v); ok {
			dst = appendMember(dst, m, value)
		}
	}
	return dst
}

// appendMember writes the elements of a member: one, or one for each item of a flattened list or map.
func appendMember(dst []byte, m *shape.Member, v reflect.Value) []byte {
	switch {
	case m.Flattened && m.Shape.Kind == shape.KindList:
		return appendItems(dst, m.Shape, v, m.Name, m.Time)
	case m.Flattened && m.Shape.Kind == shape.KindMap:
		return appendEntries(dst, m.Shape, v, m.Name, m.Style)
	}
	dst = appendStart(dst, m.Name)
	dst = appendValue(dst, m.Shape, v, m.Style)
	return appendEnd(dst, m.Name)
}

// appendValue writes what stands inside the element of a value.
func appendValue(dst []byte, sh *shape.Shape, v reflect.Value, style shape.Style) []byte {
	switch sh.Kind {
	case shape.KindString:
		return appendText(dst, v.String())
	case shape.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case shape.KindInteger:
		return strconv.AppendInt(dst, v.Int(), 10)
	case shape.KindFloat:
		return shape.AppendFloat(dst, v.Float())
	case shape.KindTime:
		return style.Time.Or(shape.Seconds).Append(dst, v.Interface().(time.Time))
	case shape.KindBlob:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes())
	case shape.KindList:
		return appendItems(dst, sh, v, or(style.Item, itemName), style.Time)
	case shape.KindMap:
		return appendEntries(dst, sh, v, entryName, style)
	}
	return appendStructure(dst, sh, v)
}

func appendItems(dst []byte, sh *shape.Shape, v reflect.Value, name string, times shape.TimeFormat) []byte {
	for i := range v.Len() {
		dst = appendStart(dst, name)
		dst = appendValue(dst, sh.Elem, v.Index(i), shape.Style{Time: times})
		dst = appendEnd(dst, name)
	}
	return dst
}

func appendEntries(dst []byte, sh *shape.Shape, v reflect.Value, name string, style shape.Style) []byte {
	value := or(style.Value, valueName)
	for _, k := range shape.SortedKeys(v) {
		dst = appendStart(dst, name)
		dst = appendElement(dst, or(style.Key, keyName), k)
		dst = appendStart(dst, value)
		dst = appendValue(dst, sh.Elem, v.MapIndex(reflect.ValueOf(k)), shape.Style{Time: style.Time})
		dst = appendEnd(dst, value)
		dst = appendEnd(dst, name)
	}
	return dst
}
