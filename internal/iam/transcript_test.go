package iam_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"idpool/internal/client"
	"idpool/internal/idpooltest"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// A transcript is a file of requests, each with its answer:
//
//	> iam CreateRole            the service and the operation; "sts" and "cognito-identity" too, the latter with one line of JSON
//	RoleName=app                the parameters, one a line
//	< 200                       the status; for a refusal its code as well
//	<CreateRoleResult>          the answer, a line for each element, without envelope and metadata
//
// What differs from run to run stands in the answers as a word in braces, and the pool id of an answer can be used in
// later requests as {pool}.
type exchange struct {
	comment         string // the lines before, with their marks
	service, action string
	request         []string
}

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != 10 {
		t.Fatalf("got %d transcripts, %v; want 10", len(files), err)
	}
	clock := func() time.Time { return noon }
	idp := idpooltest.StartIdP(t, clock)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := idpooltest.Start(t, idpooltest.Options{Clock: clock, IdP: idp})
			p := &player{caller: as(t, s, nil), ids: map[string]string{}}
			got := p.play(readTranscript(t, string(text)))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(text) && !*update {
				t.Errorf("got\n%s\nwant\n%s", got, text)
			}
		})
	}
}

func readTranscript(t *testing.T, text string) []exchange {
	t.Helper()
	var out []exchange
	comment, answer := "", false
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		rest, isRequest := strings.CutPrefix(line, "> ")
		switch {
		case isRequest:
			service, action, _ := strings.Cut(rest, " ")
			out = append(out, exchange{comment: comment, service: service, action: action})
			comment, answer = "", false
		case line == "" || strings.HasPrefix(line, "# "):
			comment += line + "\n"
		case strings.HasPrefix(line, "< "):
			answer = true
		case !answer:
			out[len(out)-1].request = append(out[len(out)-1].request, line)
		}
	}
	if len(out) == 0 {
		t.Fatal("the transcript has no requests")
	}
	return out
}

// player makes the requests of a transcript.
type player struct {
	caller
	ids map[string]string // by their word in braces
}

func (p *player) play(all []exchange) string {
	p.t.Helper()
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintf(&b, "%s> %s %s\n", e.comment, e.service, e.action)
		for _, line := range e.request {
			fmt.Fprintln(&b, line)
		}
		answer, err := p.send(e)
		f, refused := errors.AsType[*client.Fault](err)
		switch {
		case refused:
			fmt.Fprintf(&b, "< %d %s: %s\n", f.Status, f.Code, p.hide(f.Message))
		case err != nil:
			p.t.Fatalf("%s: %v", e.action, err)
		case answer == "":
			b.WriteString("< 200\n")
		default:
			fmt.Fprintf(&b, "< 200\n%s\n", p.hide(answer))
		}
	}
	return b.String()
}

func (p *player) send(e exchange) (string, error) {
	for id, value := range p.ids {
		for i := range e.request {
			e.request[i] = strings.ReplaceAll(e.request[i], id, value)
		}
	}
	if e.service == "cognito-identity" {
		var out json.RawMessage
		err := p.client.JSON(p.t.Context(), e.action, p.signer, json.RawMessage(strings.Join(e.request, "\n")), &out)
		return string(out), err
	}
	var pairs []string
	for _, line := range e.request {
		name, value, _ := strings.Cut(line, "=")
		pairs = append(pairs, name, value)
	}
	var out struct {
		XML string `xml:",innerxml"`
	}
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[e.service]
	err := p.client.Query(p.t.Context(), e.service, version, e.action, form(pairs...), p.signer, &out)
	return empty.ReplaceAllString(strings.ReplaceAll(body(out.XML), "><", ">\n<"), "<$1></$1>"), err
}

var (
	empty    = regexp.MustCompile(`<(\w+)>\n</\w+>`)
	marker   = regexp.MustCompile(`<Marker>[\w-]+</Marker>`)
	poolID   = regexp.MustCompile(`us-east-1(:|%3A)[0-9a-f-]{36}`)
	uniqueID = regexp.MustCompile(`(AROA|AIDA|ANPA)[A-Z2-7]{17}`)
	samlID   = regexp.MustCompile(`<SAMLProviderUUID>[A-Z2-7]{26}</SAMLProviderUUID>`)
	keyID    = regexp.MustCompile(`AKIA[A-Z2-7]{16}`)
)

// hide puts words in the place of what differs from run to run.
func (p *player) hide(answer string) string {
	answer = marker.ReplaceAllString(answer, "<Marker>{marker}</Marker>")
	answer = uniqueID.ReplaceAllString(answer, "$1{id}")
	answer = samlID.ReplaceAllString(answer, "<SAMLProviderUUID>{id}</SAMLProviderUUID>")
	answer = keyID.ReplaceAllString(answer, "AKIA{id}")
	return poolID.ReplaceAllStringFunc(answer, func(id string) string {
		p.ids["{pool}"] = strings.Replace(id, "%3A", ":", 1)
		return "{pool}"
	})
}
