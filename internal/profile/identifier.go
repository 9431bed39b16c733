package profile

import (
	"fmt"
	"regexp"
	"strings"
)

// rule is how the values of a scheme are spelled and verified.
type rule struct {
	// tidy removes what people add to a value: blanks, prefixes, an address.
	tidy func(string) string
	form *regexp.Regexp // of the canonical spelling
	want string         // the form in words
	// check reports whether the check digits of a value of that form are right.
	check func(string) bool
}

var rules = map[IdentifierScheme]rule{
	CVR: {
		tidy: compact("DK"), form: regexp.MustCompile(`^[0-9]{8}$`), want: "8 digits",
		check: func(s string) bool { return weighted(s, 2, 7, 6, 5, 4, 3, 2, 1) },
	},
	OrgNr: {
		tidy: func(s string) string { return strings.TrimSuffix(compact("NO")(s), "MVA") },
		form: regexp.MustCompile(`^[0-9]{9}$`), want: "9 digits",
		check: func(s string) bool { return weighted(s, 3, 2, 7, 6, 5, 4, 3, 2, 1) },
	},
	OrgSE: {
		tidy: func(s string) string {
			s = compact("SE")(s)
			if len(s) == 12 && s[:2] == "16" { // how registers write it
				s = s[2:]
			}
			return hyphen(s, 10, 6)
		},
		form: regexp.MustCompile(`^[0-9]{6}-[0-9]{4}$`), want: "nnnnnn-nnnn",
		check: func(s string) bool { return luhn(strings.ReplaceAll(s, "-", "")) },
	},
	YTunn: {
		tidy: func(s string) string { return hyphen(compact("FI")(s), 8, 7) },
		form: regexp.MustCompile(`^[0-9]{7}-[0-9]$`), want: "7 digits, a hyphen, 1 digit",
		check: func(s string) bool { return weighted(strings.ReplaceAll(s, "-", ""), 7, 9, 10, 5, 8, 4, 2, 1) },
	},
	KBO: {
		tidy: func(s string) string {
			s = compact("BE")(s)
			if len(s) == 9 { // the old spelling had no leading zero
				s = "0" + s
			}
			return s
		},
		form: regexp.MustCompile(`^[0-9]{10}$`), want: "10 digits",
		check: func(s string) bool { return decimal(s[8:]) == 97-decimal(s[:8])%97 },
	},
	ROR: {
		tidy: func(s string) string { return address(strings.ToLower(s), "ror.org/") },
		form: regexp.MustCompile(`^0[0-9a-hj-km-np-tv-z]{6}[0-9]{2}$`), want: "0, 6 letters or digits, 2 digits",
		check: func(s string) bool { return decimal(s[7:]) == 98-crockford(s[:7])*100%97 },
	},
	ORCID: {
		tidy: func(s string) string {
			s = strings.ToUpper(address(strings.ToLower(s), "orcid.org/"))
			s = strings.ReplaceAll(s, "-", "")
			return hyphen(hyphen(hyphen(s, 16, 12), 17, 8), 18, 4)
		},
		form: regexp.MustCompile(`^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$`), want: "nnnn-nnnn-nnnn-nnnn",
		check: func(s string) bool { return mod11x2(strings.ReplaceAll(s, "-", "")) },
	},
}

// Canonical returns id in its scheme's canonical spelling: blanks, country
// prefixes and addresses removed, hyphens where they belong. A value that has
// not the scheme's form, and a value of an unknown scheme, stays as it is.
func (id Identifier) Canonical() Identifier {
	r, ok := rules[id.Scheme]
	if !ok {
		return id
	}
	if v := r.tidy(strings.TrimSpace(id.Value)); r.form.MatchString(v) {
		id.Value = v
	}
	return id
}

// Check returns what is wrong with id, in any spelling that Canonical
// understands, and false if nothing is. Path is left empty, and the value is
// never quoted: it may be the number of a person.
func (id Identifier) Check() (Fault, bool) {
	r, ok := rules[id.Scheme]
	if !ok {
		return Fault{Code: CodeNotInList, Message: "the identifier's scheme must be one of " + list(IdentifierSchemes)}, true
	}
	v := r.tidy(strings.TrimSpace(id.Value))
	switch {
	case id.Scheme == OrgSE && personal(v):
		return Fault{Code: CodePersonal, Message: "this is the number of a person, not of an organisation: it is not accepted"}, true
	case !r.form.MatchString(v):
		return Fault{Code: CodeBadIdentifier, Message: fmt.Sprintf("this is not a number of scheme %s: it must have the form %s", id.Scheme, r.want)}, true
	case !r.check(v):
		return Fault{Code: CodeBadIdentifier, Message: fmt.Sprintf("the check digits of this %s number are wrong: is there a typing error?", id.Scheme)}, true
	}
	return Fault{}, false
}

// personal reports whether a tidied Swedish number belongs to a person: its
// third digit is below 2, or it starts with a century.
func personal(s string) bool {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	switch len(digits) {
	case 10:
		return digits[2] < '2'
	case 12:
		return digits[4] < '2'
	}
	return false
}

// compact returns a function that removes a country prefix and everything that
// people write between digits.
func compact(prefix string) func(string) string {
	drop := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ".", "", "-", "", "\u2011", "", "\u2013", "")
	return func(s string) string {
		return strings.TrimPrefix(strings.ToUpper(drop.Replace(s)), prefix)
	}
}

// address returns what follows host in s, a value written as an address, and s
// itself if it is none. A hyphen of any kind becomes the plain one.
func address(s, host string) string {
	if _, tail, ok := strings.Cut(s, host); ok {
		s = strings.TrimSuffix(tail, "/")
	}
	return strings.NewReplacer(" ", "", "\u2011", "-", "\u2013", "-").Replace(s)
}

// hyphen puts a hyphen into s at byte at if s has n bytes.
func hyphen(s string, n, at int) string {
	if len(s) != n {
		return s
	}
	return s[:at] + "-" + s[at:]
}

// weighted reports whether the weighted sum of digits is divisible by 11.
func weighted(digits string, weights ...int) bool {
	sum := 0
	for i, w := range weights {
		sum += w * int(digits[i]-'0')
	}
	return sum%11 == 0
}

// luhn verifies digits, whose last one is the check digit.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// mod11x2 verifies s by ISO 7064 MOD 11-2; its last character may be X for 10.
func mod11x2(s string) bool {
	total := 0
	for i := range len(s) - 1 {
		total = (total + int(s[i]-'0')) * 2 % 11
	}
	check := (12 - total) % 11
	last := s[len(s)-1]
	if check == 10 {
		return last == 'X'
	}
	return last == byte('0'+check)
}

// decimal returns the value of digits.
func decimal(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// crockford returns the value of s in Crockford's base 32.
func crockford(s string) int {
	n := 0
	for i := range len(s) {
		n = n*32 + strings.IndexByte("0123456789abcdefghjkmnpqrstvwxyz", s[i])
	}
	return n
}
