package config

import "strings"

// nearest returns the candidate that was probably meant by word, or "" if none is close. A candidate is close if one of
// them begins the other, or if a third of its letters or fewer have to change.
func nearest(word string, candidates []string) string {
	word = plainName(word)
	best, least := "", 0
	for _, c := range candidates {
		plain := plainName(c)
		d := distance(word, plain)
		if d > max(len(word), len(plain))/3 && !begins(word, plain) {
			continue
		}
		if best == "" || d < least {
			best, least = c, d
		}
	}
	return best
}

// plainName drops what differs between the ways to write a name: publicURL, public-url, public_url.
func plainName(s string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s))
}

// begins reports whether one of two names begins the other, and is long enough to mean something.
func begins(a, b string) bool {
	return min(len(a), len(b)) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// distance is how many letters have to be added, dropped, replaced, or swapped with their neighbour, to get from a to b
// (Levenshtein's distance with transpositions of neighbours).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
