package awsquery

import "unicode/utf8"

func appendStart(dst []byte, name string) []byte {
	return append(append(append(dst, '<'), name...), '>')
}

func appendEnd(dst []byte, name string) []byte {
	return append(append(append(dst, '<', '/'), name...), '>')
}

func appendElement(dst []byte, name, text string) []byte {
	return appendEnd(appendText(appendStart(dst, name), text), name)
}

// appendText escapes text for an element or a quoted attribute. What XML 1.0 cannot hold (§2.2: most control
// characters, U+FFFE, U+FFFF, bytes that are not UTF-8) becomes U+FFFD. Tabs and line ends are escaped, because
// parsers change them where they stand bare.
func appendText(dst []byte, text string) []byte {
	done := 0 // up to here text is in dst
	for i := 0; i < len(text); {
		if plain(text[i]) {
			i++
			continue
		}
		c, size := utf8.DecodeRuneInString(text[i:])
		if escape := escaped(c); escape != "" {
			dst = append(append(dst, text[done:i]...), escape...)
			done = i + size
		}
		i += size
	}
	return append(dst, text[done:]...)
}

// plain reports whether a byte is a character of its own that stands for itself.
func plain(c byte) bool {
	return ' ' <= c && c <= '~' && c != '&' && c != '<' && c != '>' && c != '"' && c != '\''
}

// escaped returns what stands for a character, empty for the character itself.
func escaped(c rune) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&#34;"
	case '\'':
		return "&#39;"
	case '\t':
		return "&#x9;"
	case '\n':
		return "&#xA;"
	case '\r':
		return "&#xD;"
	}
	if c < ' ' || c == 0xFFFE || c == 0xFFFF || c == utf8.RuneError {
		return "\uFFFD"
	}
	return ""
}
