package event

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// appendLine appends the record as one line of JSON, as encoding/json writes it. Every request pays for it, so it is
// written out.
func (r *Record) appendLine(b []byte) ([]byte, error) {
	b = append(b, `{"time":"`...)
	b, err := r.Time.AppendText(b)
	if err != nil {
		return nil, err
	}
	b = appendText(append(b, `","request_id":`...), r.RequestID)
	for _, m := range [...]struct{ name, value string }{
		{`,"client":`, r.Client}, {`,"user_agent":`, r.UserAgent}, {`,"service":`, r.Service}, {`,"operation":`, r.Operation},
		{`,"caller":`, r.Caller}, {`,"access_key_id":`, r.AccessKeyID}, {`,"pool":`, r.Pool}, {`,"identity":`, r.Identity},
		{`,"role":`, r.Role}, {`,"minted_access_key_id":`, r.Minted},
	} {
		b = appendMember(b, m.name, m.value)
	}
	for i := range r.Steps {
		if i == 0 {
			b = append(b, `,"steps":[`...)
		} else {
			b = append(b, ',')
		}
		b = r.Steps[i].append(b)
	}
	if len(r.Steps) > 0 {
		b = append(b, ']')
	}
	b = appendText(append(b, `,"outcome":`...), r.Outcome)
	b = appendMember(b, `,"message":`, r.Message)
	b = appendMember(b, `,"cause":`, r.Cause)
	b = strconv.AppendInt(append(b, `,"micros":`...), r.Micros, 10)
	if r.HeldMicros != 0 {
		b = strconv.AppendInt(append(b, `,"held_micros":`...), r.HeldMicros, 10)
	}
	return append(b, "}\n"...), nil
}

func (s *Step) append(b []byte) []byte {
	b = appendText(append(b, `{"name":`...), s.Name)
	b = strconv.AppendBool(append(b, `,"ok":`...), s.OK)
	b = appendMember(b, `,"subject":`, s.Subject)
	b = appendMember(b, `,"expected":`, s.Expected)
	b = appendMember(b, `,"found":`, s.Found)
	return append(b, '}')
}

// appendMember leaves out what is empty.
func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendText(append(b, name...), value)
}

// appendText appends a string of JSON. What needs more than a backslash is left to encoding/json, without its escapes for
// HTML: operators read ">=".
func appendText(b []byte, text string) []byte {
	start, from := len(b), 0
	b = append(b, '"')
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' {
			return appendEscaped(b[:start], text)
		}
		if c == '"' || c == '\\' {
			b = append(append(b, text[from:i]...), '\\', c)
			from = i + 1
		}
	}
	return append(append(b, text[from:]...), '"')
}

func appendEscaped(b []byte, text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string always encodes
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
