package awsquery_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"idpool/internal/awsquery"
	"idpool/internal/shape"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

type credentials struct {
	AccessKeyId, SecretAccessKey, SessionToken *string
	Expiration                                 *time.Time
}

type assumedRoleUser struct{ AssumedRoleId, Arn *string }

type assumeRoleAnswer struct {
	SourceIdentity   *string
	AssumedRoleUser  *assumedRoleUser
	Credentials      *credentials
	PackedPolicySize *int64
}

func assumeRole() *assumeRoleAnswer {
	return &assumeRoleAnswer{
		AssumedRoleUser: &assumedRoleUser{new("AROA3XFRBF535PLBIFPI4:sess"), new("arn:aws:sts::123456789012:assumed-role/Name/sess")},
		Credentials: &credentials{
			AccessKeyId: new("ASIAQWERTYUIOPASDFGH"), SecretAccessKey: new("abc+/="), SessionToken: new("token"),
			Expiration: new(time.Date(2026, 11, 22, 14, 0, 0, 999_000_000, time.FixedZone("", 3600))),
		},
		PackedPolicySize: new(int64(6)),
	}
}

// The whole of an answer (sts spec §1.1), without the spaces that the specification has for its readers.
func TestEncodeAssumeRole(t *testing.T) {
	const want = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` +
		`<AssumedRoleUser><AssumedRoleId>AROA3XFRBF535PLBIFPI4:sess</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/Name/sess</Arn></AssumedRoleUser>` +
		`<Credentials><AccessKeyId>ASIAQWERTYUIOPASDFGH</AccessKeyId><SecretAccessKey>abc+/=</SecretAccessKey><SessionToken>token</SessionToken>` +
		`<Expiration>2026-11-22T13:00:00Z</Expiration></Credentials><PackedPolicySize>6</PackedPolicySize>` +
		`</AssumeRoleResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></AssumeRoleResponse>`
	sh := shape.MustOf(nil, reflect.TypeFor[assumeRoleAnswer]())
	if got := string(awsquery.Encode("AssumeRole", stsNamespace, "id", sh, assumeRole())); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeOfNothing(t *testing.T) {
	const end = `<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></XResponse>`
	if got, want := string(awsquery.Encode("X", "ns", "id", nil, nil)), `<XResponse xmlns="ns">`+end; got != want {
		t.Errorf("no output: got %s, want %s", got, want)
	}
	if got, want := string(awsquery.Encode("X", "ns", "id", requestShape, &request{})), `<XResponse xmlns="ns"><XResult></XResult>`+end; got != want {
		t.Errorf("an empty output: got %s, want %s", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("got an answer of another type written, want a panic")
		}
	}()
	awsquery.Encode("X", "ns", "id", requestShape, &tag{})
}

func TestEncodeValues(t *testing.T) {
	at := time.Date(2026, 11, 22, 13, 0, 0, 123_000_000, time.UTC)
	for want, out := range map[string]*request{
		"<RoleArn></RoleArn><Flag>false</Flag>":                                                            {RoleArn: new(""), Flag: new(false)},
		"<DurationSeconds>-9223372036854775808</DurationSeconds>":                                          {DurationSeconds: new(int64(math.MinInt64))},
		"<Ratio>-Infinity</Ratio>":                                                                         {Ratio: new(math.Inf(-1))},
		"<At>2026-11-22T13:00:00Z</At><Epoch>1795352400.123</Epoch>":                                       {At: &at, Epoch: &at},
		"<Data>Zm8=</Data>":                                                                                {Data: []byte("fo")},
		"<Tags></Tags><Lists></Lists><Map></Map>":                                                          {Tags: []tag{}, Flat: []string{}, Lists: [][]string{}, Map: map[string]string{}},
		"<Tags><member><Key>a</Key></member><member></member></Tags>":                                      {Tags: []tag{{Key: new("a")}, {}}},
		"<PolicyArns><member><arn>p</arn></member></PolicyArns>":                                           {PolicyArns: []policyARN{{new("p")}}},
		"<Lists><member><member>a</member></member><member></member></Lists>":                              {Lists: [][]string{{"a"}, nil}},
		"<Flat>a</Flat><Flat>b</Flat>":                                                                     {Flat: []string{"a", "b"}},
		"<Map><entry><key>a</key><value>1</value></entry><entry><key>b</key><value></value></entry></Map>": {Map: map[string]string{"b": "", "a": "1"}},
		"<FlatMap><K>a</K><V><Key>b</Key></V></FlatMap>":                                                   {FlatMap: map[string]tag{"a": {Key: new("b")}}},
		"<Inner><Inner></Inner></Inner>":                                                                   {Inner: &request{Inner: &request{}}},
	} {
		got := string(awsquery.Encode("X", "ns", "id", requestShape, out))
		if got = between(got, "<XResult>", "</XResult>"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func between(text, start, end string) string {
	_, text, _ = strings.Cut(text, start)
	text, _, _ = strings.Cut(text, end)
	return text
}

// Text comes back from a parser as it went in, except for what XML cannot hold; and it is written as the standard
// library's encoder writes it.
func TestTextIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                     "plain",
		`<a href="x">&amp;'</a>]]>`: `<a href="x">&amp;'</a>]]>`,
		"tab\tline\nreturn\r\n":     "tab\tline\nreturn\r\n",
		"\x00\x01\x08\x0b\x0c\x1f":  "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd",
		"\ufffe\uffff\ufffd":        "\ufffd\ufffd\ufffd",
		"a\xffb\xc3":                "a\ufffdb\ufffd",
		"é😀\u2028\u202e\x7f\u0085":  "é😀\u2028\u202e\x7f\u0085",
		"</RoleArn><Arn>forged":     "</RoleArn><Arn>forged",
		"<!--":                      "<!--",
		"&#x41;":                    "&#x41;",
		" kept ":                    " kept ",
	} {
		body := awsquery.Encode("X", text, text, requestShape, &request{RoleArn: &text})
		var got struct {
			XMLName xml.Name
			Value   string `xml:"XResult>RoleArn"`
			ID      string `xml:"ResponseMetadata>RequestId"`
		}
		if err := xml.Unmarshal(body, &got); err != nil {
			t.Errorf("%q: %v in %s", text, err, body)
		} else if got.Value != want || got.ID != want || got.XMLName.Space != want {
			t.Errorf("%q: got %q, %q, %q, want %q", text, got.Value, got.ID, got.XMLName.Space, want)
		}
		var library bytes.Buffer
		if err := xml.EscapeText(&library, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := between(string(body), "<RoleArn>", "</RoleArn>"); got != library.String() {
			t.Errorf("%q: got %s, want %s", text, got, library.String())
		}
	}
}

// What Parse and Decode accept, written as a form again, decodes to the same; written as XML, it is well-formed. The
// texts compare by what XML can hold. Nothing panics.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "Action=AssumeRole&Version=2011-06-15&RoleArn=a%20b&DurationSeconds=900&Flag=true&Ratio=1e-7",
		"Tags.member.1.Key=a&Tags.member.1.Value=&PolicyArns.member.1.arn=p&TransitiveTagKeys.member.1=a", "Tags=&Map=",
		"Lists.member.1.member.1=a&Flat.1=a&Flat.2=b&Map.entry.1.key=a&Map.entry.1.value=b&FlatMap.1.K=a&FlatMap.1.V.Key=b",
		"At=2026-11-22T13:00:00Z&Epoch=-1.5&Data=Zm8%3D&Inner.Inner.RoleArn=x", "a=1;b=2", "RoleArn=%ff", "a&b", "A=1&A.B=2", "rolearn=a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second request
		if decode(text, &first) != nil {
			return
		}
		written := strings.Join(pairs(nil, requestShape, reflect.ValueOf(&first).Elem(), "", shape.Style{}), "&")
		if err := decode(written, &second); err != nil {
			t.Fatalf("%s was read and not read again as %s: %v", text, written, err)
		}
		body := awsquery.Encode("X", "ns", "id", requestShape, &first)
		if again := awsquery.Encode("X", "ns", "id", requestShape, &second); !bytes.Equal(again, body) {
			t.Fatalf("got %s, want %s", again, body)
		}
		if _, err := parse(string(body)); err != nil {
			t.Fatal(err)
		}
	})
}

// pairs writes a value as a client does.
func pairs(to []string, sh *shape.Shape, v reflect.Value, path string, style shape.Style) []string {
	switch sh.Kind {
	case shape.KindStructure:
		if path != "" {
			to = append(to, path+".UnknownToAll=") // keeps an empty structure there
			path += "."
		}
		for i := range sh.Members {
			if value, ok := sh.Members[i].Get(v); ok {
				to = pairs(to, sh.Members[i].Shape, value, path+sh.Members[i].Name, sh.Members[i].Style)
			}
		}
		return to
	case shape.KindList:
		for i := range v.Len() {
			to = pairs(to, sh.Elem, v.Index(i), fmt.Sprint(wrapped(path, "member", style), ".", i+1), shape.Style{Time: style.Time})
		}
		return to
	case shape.KindMap:
		for i, k := range shape.SortedKeys(v) {
			entry := fmt.Sprint(wrapped(path, "entry", style), ".", i+1)
			key, value := "key", "value"
			if style.Key != "" {
				key, value = style.Key, style.Value
			}
			to = append(to, entry+"."+key+"="+escape(k))
			to = pairs(to, sh.Elem, v.MapIndex(reflect.ValueOf(k)), entry+"."+value, shape.Style{Time: style.Time})
		}
		return to
	}
	return append(to, path+"="+escape(scalar(v, style.Time)))
}

func wrapped(path, wrapper string, style shape.Style) string {
	if style.Flattened {
		return path
	}
	return path + "." + wrapper
}

func scalar(v reflect.Value, format shape.TimeFormat) string {
	switch value := v.Interface().(type) {
	case time.Time:
		return string(format.Or(shape.ISO8601).Append(nil, value))
	case []byte:
		return base64.StdEncoding.EncodeToString(value)
	case float64:
		return string(shape.AppendFloat(nil, value))
	}
	return fmt.Sprint(v.Interface())
}

func escape(text string) string { return url.QueryEscape(text) }

func BenchmarkDecodeAssumeRole(b *testing.B) {
	text := "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FName&RoleSessionName=sess" +
		"&DurationSeconds=900&Tags.member.1.Key=a&Tags.member.1.Value=b&WebIdentityToken=" + strings.Repeat("eyJhbGciOi", 120)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := decode(text, new(request)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeAssumeRole(b *testing.B) {
	sh := shape.MustOf(nil, reflect.TypeFor[assumeRoleAnswer]())
	out := assumeRole()
	out.Credentials.SessionToken = new(strings.Repeat("IQoJb3JpZ2", 96))
	b.ReportAllocs()
	for b.Loop() {
		if body := awsquery.Encode("AssumeRole", stsNamespace, "id", sh, out); len(body) < 1200 {
			b.Fatal(len(body))
		}
	}
}

// The refusal of a hostile form must not cost more than reading a good one of the same size.
func BenchmarkDecodeHostile(b *testing.B) {
	var many strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, "&%s%d=", strings.Repeat("Tags.", 45), i)
	}
	for name, text := range map[string]string{
		"long paths": many.String()[1:], "dots": strings.Repeat("a.", 200_000) + "a=", "one value": "RoleArn=" + strings.Repeat("%41", 170_000),
		"ampersands": strings.Repeat("&", 512<<10),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_ = decode(text, new(request))
			}
		})
	}
}
