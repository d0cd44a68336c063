package config

import (
	"net/url"
	"strings"
)

// StoreURL is the URL of a store, which may hold a password: it prints without it. The text lies behind a pointer, since
// fmt does not ask the methods of a value in an unexported field.
type StoreURL struct {
	text *string
}

// NewStoreURL returns the URL with the text, which is not judged.
func NewStoreURL(text string) StoreURL { return StoreURL{&text} }

// Reveal returns the whole URL, for the package that opens the store. It is empty for the zero value.
func (u StoreURL) Reveal() string {
	if u.text == nil {
		return ""
	}
	return *u.text
}

// Redacted returns the URL for logs: without password, and without its query, where one may stand as well.
func (u StoreURL) Redacted() string {
	text := u.Reveal()
	if text == "" || strings.HasPrefix(text, sqliteScheme) {
		return text
	}
	parsed, err := url.Parse(text)
	if err != nil || !postgres(parsed.Scheme) || parsed.Opaque != "" {
		return "[redacted]"
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	if name := parsed.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// String is Redacted.
func (u StoreURL) String() string { return u.Redacted() }

// GoString is Redacted.
func (u StoreURL) GoString() string { return u.Redacted() }

// MarshalText is Redacted: a configuration that is printed as JSON reveals no password.
func (u StoreURL) MarshalText() ([]byte, error) { return []byte(u.Redacted()), nil }

const sqliteScheme = "sqlite:"

func postgres(scheme string) bool { return scheme == "postgres" || scheme == "postgresql" }

// parseStore judges a store's URL by its form; whether it can be opened is seen when it is.
func parseStore(s string) (StoreURL, *complaint) {
	scheme, rest, _ := strings.Cut(s, ":")
	var wrong *complaint
	switch {
	case scheme == "sqlite":
		wrong = judgeSQLite(rest)
	case postgres(scheme):
		wrong = judgePostgres(s)
	default:
		wrong = &complaint{"not the URL of a store", "write sqlite:PATH or postgres://USER@HOST/DATABASE"}
	}
	return NewStoreURL(s), wrong
}

func judgeSQLite(path string) *complaint {
	const hint = "write sqlite: and the path of a file, such as sqlite:idpool.db"
	switch {
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return &complaint{"names a host", hint}
	case path == "" || strings.HasSuffix(path, "/"):
		return &complaint{"names no file", hint}
	case strings.HasPrefix(path, ":"):
		return &complaint{"a database in memory would lose every identity", hint}
	case strings.Contains(path, "?"):
		return &complaint{"has options, which sqlite: does not take", hint}
	}
	_, wrong := parsePath(path)
	return wrong
}

func judgePostgres(s string) *complaint {
	const encode = "write the characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25"
	const whole = "write postgres://USER@HOST/DATABASE"
	u, err := url.Parse(s)
	switch {
	case err != nil: // the cause quotes the URL
		return &complaint{"cannot be read as a URL", encode}
	case strings.Contains(u.EscapedPath()+u.RawQuery, "@") || strings.Contains(s, "#"):
		// A password with such characters would end the host too early, and its rest be sent to it as something else.
		return &complaint{"has an @ or # after the host", encode}
	case u.Opaque != "" || u.Host == "" && !u.Query().Has("host"):
		return &complaint{"names no host", whole}
	case strings.Trim(u.Path, "/") == "" && !u.Query().Has("dbname"):
		return &complaint{"names no database", whole}
	}
	return nil
}
