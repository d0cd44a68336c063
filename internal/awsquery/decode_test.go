package awsquery_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/awsquery"
	"idpool/internal/fault"
	"idpool/internal/shape"
)

type tag struct{ Key, Value *string }

type policyARN struct {
	ARN *string `wire:"arn"`
}

// request has every kind of member, some under the names that STS uses.
type request struct {
	RoleArn         *string
	Flag            *bool
	DurationSeconds *int64
	Ratio           *float64
	At              *time.Time
	Epoch           *time.Time `wire:",time=unixTimestamp"`
	Data            []byte
	Tags            []tag
	PolicyArns      []policyARN
	Keys            []string `wire:"TransitiveTagKeys"`
	Lists           [][]string
	Flat            []string `wire:",flattened"`
	Map             map[string]string
	FlatMap         map[string]tag `wire:",flattened,key=K,value=V"`
	Inner           *request
}

var requestShape = shape.MustOf(nil, reflect.TypeFor[request]())

func decode(text string, into *request) error {
	form, err := awsquery.Parse(text)
	if err != nil {
		return err
	}
	return awsquery.Decode(form, requestShape, into)
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]request{
		"": {},
		"Action=AssumeRole&Version=2011-06-15&X-Amz-Date=now&Unknown.member.7=x": {},
		"RoleArn=":                                          {RoleArn: new("")},
		"RoleArn=a%20b%2B+c%3d=d":                           {RoleArn: new("a b+ c==d")},
		"RoleArn=%C3%A9%F0%9F%98%80":                        {RoleArn: new("é😀")},
		"R%6FleArn=x":                                       {RoleArn: new("x")},
		"Flag=true&DurationSeconds=-900&Ratio=1.5":          {Flag: new(true), DurationSeconds: new(int64(-900)), Ratio: new(1.5)},
		"Flag=false&Ratio=NaN":                              {Flag: new(false), Ratio: nil},
		"At=2026-11-22T14:00:00%2B01:00&Epoch=1486747083.5": {At: new(time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)), Epoch: new(time.UnixMilli(1486747083500).UTC())},
		"Data=Zm8%3D":                                       {Data: []byte("fo")},
		"Data=":                                             {Data: []byte{}},
		"Tags=&Map=&Inner=&Flat=&Lists=":                    {},
		"Tags.member.1.Key=a&Tags.member.1.Value=&PolicyArns.member.1.arn=p": {
			Tags: []tag{{new("a"), new("")}}, PolicyArns: []policyARN{{new("p")}}},
		"TransitiveTagKeys.member.2=b&TransitiveTagKeys.member.1=a": {Keys: []string{"a", "b"}},
		"Lists.member.1.member.1=a&Lists.member.2.member.1=b":       {Lists: [][]string{{"a"}, {"b"}}},
		"Flat.1=a&Flat.2=b": {Flat: []string{"a", "b"}},
		"Map.entry.1.key=a&Map.entry.1.value=1&Map.entry.2.value=2&Map.entry.2.key=": {Map: map[string]string{"a": "1", "": "2"}},
		"FlatMap.1.K=a&FlatMap.1.V.Key=b":                                            {FlatMap: map[string]tag{"a": {Key: new("b")}}},
		"Inner.Inner.RoleArn=x&Inner.Tags=&Inner.New=1":                              {Inner: &request{Inner: &request{RoleArn: new("x")}}},
	} {
		var got request
		if err := decode(text, &got); err != nil {
			t.Errorf("%s: got %v, want it read", text, err)
			continue
		}
		if want.Flag != nil && !*want.Flag { // NaN equals nothing
			if got.Ratio == nil || *got.Ratio == *got.Ratio {
				t.Errorf("%s: got %v, want NaN", text, got.Ratio)
			}
			got.Ratio = nil
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: got -, want +:\n%s", text, diff)
		}
	}
}

// More than nine items come in the order of their numbers, not of their spelling.
func TestDecodeOrdersItemsByNumber(t *testing.T) {
	var text strings.Builder
	for i := 12; i > 0; i-- {
		fmt.Fprintf(&text, "Flat.%d=%d&", i, i)
	}
	var got request
	if err := decode(strings.TrimSuffix(text.String(), "&"), &got); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(got.Flat, " "), "1 2 3 4 5 6 7 8 9 10 11 12"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func refused(t *testing.T, what, text string) {
	t.Helper()
	err := decode(text, new(request))
	f := fault.From(err)
	if f == nil || f.Code != fault.Serialization || f.Message != "The query string contains a syntax error." {
		t.Errorf("%s: got %v, want it refused", what, err)
		return
	}
	if strings.Contains(f.Error(), "canary") {
		t.Errorf("%s: got %v, want nothing of the form in it", what, f)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		"RoleArn=canary&RoleArn=b", "RoleArn=a&R%6fleArn=canary", "Tags=&Tags=", "New=1&New=2", "Action=A&Action=B", "New.a=1&New.a=2",
		"New=1&New.a=2", "New.a=1&New=2", "Tags=&Tags.member.1.Key=canary", "Tags.member.1.Key=canary&Tags=", "Tags.member=1&Tags.member.1.Key=a",
		"rolearn=canary", "ROLEARN=", "Inner.roleArn=canary", "tags.member.1.Key=a", "Tags.member.1.key=canary", "PolicyArns.member.1.Arn=canary", "action=A", "VERSION=1",
		"RoleArn=a;b=canary", "RoleArn=a%", "RoleArn=a%2", "RoleArn=a%2g", "RoleArn=%%31", "%zz=1", "RoleArn=%u0041",
		"RoleArn=%ff", "RoleArn=%ed%a0%80", "RoleArn=%c0%af", "RoleArn=é", "RoleArn=a b", "RoleArn=a\nb", "RoleArn=a\x00b", "RoleArn=a\x7fb", "%ff=1", "Rol%C5%BFe=1", "R%20=1", "R%00=1",
		"RoleArn", "=canary", "&", "RoleArn=a&", "&RoleArn=a", "RoleArn=a&&Flag=true", "a&b", "=",
		".=1", "a..b=1", ".a=1", "a.=1", "RoleArn.=canary", "RoleArn.a=canary", "Flag.member.1=true",
		"Flag=canary", "Flag=True", "Flag=1", "Flag=", "DurationSeconds=", "DurationSeconds=canary", "DurationSeconds=1.0", "DurationSeconds=1e3", "DurationSeconds=%2B1", "DurationSeconds=01", "DurationSeconds=0x10",
		"DurationSeconds=9223372036854775808", "DurationSeconds=+1", "Ratio=canary", "Ratio=", "At=canary", "At=1486747083", "Epoch=2026-11-22T13:00:00Z", "Data=Zg", "Data=canary%0a",
		"Tags=canary", "Tags.1.Key=canary", "Tags.entry.1.Key=canary", "Tags.Member.1.Key=a", "Tags.member.1.Key=a&Tags.other=canary",
		"Tags.member.0.Key=a", "Tags.member.2.Key=a", "Tags.member.1.Key=a&Tags.member.3.Key=b", "Tags.member.01.Key=a", "Tags.member.-1.Key=a", "Tags.member.x.Key=a", "Tags.member.1=canary", "Tags.member=",
		"TransitiveTagKeys.member.1.a=canary", "Lists.member.1=canary", "Lists.member.1=", "Flat=canary", "Flat.member.1=canary", "Flat.0=a", "Flat.1=a&Flat.3=b", "Flat.1.a=canary",
		"Map=canary", "Map.entry=", "Map.1.key=a&Map.1.value=b", "Map.entry.1.key=canary", "Map.entry.1.value=canary", "Map.entry.1=canary", "Map.entry.1.key=a&Map.entry.1.value=b&Map.entry.1.more=canary",
		"Map.entry.1.Key=a&Map.entry.1.value=b", "Map.entry.1.key.a=a&Map.entry.1.value=b", "Map.entry.1.key=a&Map.entry.1.value.b=canary", "Map.entry.2.key=a&Map.entry.2.value=b",
		"Map.entry.1.key=canary&Map.entry.1.value=1&Map.entry.2.key=canary&Map.entry.2.value=2",
		"FlatMap.1.key=a&FlatMap.1.value.Key=b", "FlatMap.1.K=a&FlatMap.1.V=canary", "Inner=canary",
	} {
		refused(t, text, text)
	}
}

// One below and one above each limit.
func TestParseLimits(t *testing.T) {
	parameters := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "&p%d=", i)
		}
		return b.String()[1:]
	}
	path := func(segments int) string { return strings.Repeat("a.", segments-1) + "a=" }
	for what, text := range map[string]string{
		"parameters": parameters(2000), "segments": path(48), "bytes": "a=" + strings.Repeat("b", 512<<10-2),
	} {
		if err := decode(text, new(request)); err != nil {
			t.Errorf("%s at the limit: got %v, want it read", what, err)
		}
	}
	for what, text := range map[string]string{
		"parameters": parameters(2001), "segments": path(49), "bytes": "a=" + strings.Repeat("b", 512<<10-1),
		"ampersands": strings.Repeat("&", 400_000), "dots": strings.Repeat(".", 400_000) + "=", "segments without end": path(200_000),
	} {
		refused(t, what, text)
	}
}

func TestOperation(t *testing.T) {
	for text, want := range map[string][3]any{
		"Action=AssumeRole&Version=2011-06-15": {"AssumeRole", "2011-06-15", true},
		"Version=2011-06-15":                   {"", "2011-06-15", false},
		"Action=&Version=1":                    {"", "1", false},
		"Action=A":                             {"A", "", true},
		"Action.member.1=A":                    {"", "", false},
		"":                                     {"", "", false},
	} {
		form, err := awsquery.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		action, version, ok := awsquery.Operation(form)
		if got := [3]any{action, version, ok}; got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestDecodeWantsItsOwnType(t *testing.T) {
	form, err := awsquery.Parse("")
	if err != nil {
		t.Fatal(err)
	}
	for _, into := range []any{nil, request{}, (*request)(nil), new(string)} {
		err := awsquery.Decode(form, requestShape, into)
		if err == nil || fault.Is(err, fault.Serialization) {
			t.Errorf("%T: got %v, want an error that is no refusal of the caller", into, err)
		}
	}
}
