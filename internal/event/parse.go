package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kobling/internal/profile"
)

// maxDepth is how deep data may be nested; the schemas need five levels.
const maxDepth = 32

// plainNumber is how numbers must be written. No field of a submission holds
// any other, and some others cost a reader gigabytes (1e999999999).
var plainNumber = regexp.MustCompile(`^-?[0-9]{1,15}$`)

// pointer is a JSON Pointer, not yet escaped.
type pointer []string

// String returns p as RFC 6901 writes it. A name of more than 40 characters,
// which no schema has, is cut.
func (p pointer) String() string {
	var b strings.Builder
	for _, token := range p {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(shorten(token)))
	}
	return b.String()
}

// with returns p and one token more, sharing nothing with p.
func (p pointer) with(token string) pointer {
	return append(slices.Clip(p), token)
}

// parser reads JSON that a stranger wrote, more strictly than encoding/json:
// a field said twice, a number that is not written plainly and deep nesting are
// faults.
type parser struct {
	dec    *json.Decoder
	faults []located
}

// located is a fault and where it is.
type located struct {
	at   pointer
	code string
	text string
	// unreadable says that no value can be had from here, so that nothing
	// further is to be said of it.
	unreadable bool
}

var errDepth = errors.New("nested too deeply")

// parse returns the value in raw, with numbers as json.Number. A number that
// cannot be read is left out as nil; its fault says where.
func parse(raw []byte) (any, []located) {
	if !utf8.Valid(raw) {
		return nil, []located{{code: CodeNotJSON, text: "the data is not UTF-8"}}
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(raw))}
	p.dec.UseNumber()
	v, err := p.value(nil)
	if err == nil {
		if _, more := p.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the first value")
		}
	}
	if err != nil {
		return nil, []located{{code: CodeNotJSON, text: fmt.Sprintf("the data is not JSON: %v", err)}}
	}
	return v, p.faults
}

func (p *parser) value(at pointer) (any, error) {
	if len(at) > maxDepth {
		return nil, errDepth
	}
	token, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return p.object(at)
		}
		return p.array(at)
	case json.Number:
		if !plainNumber.MatchString(v.String()) {
			p.faults = append(p.faults, located{
				at: at, code: profile.CodeBadForm, unreadable: true,
				text: "the number must be whole, of at most 15 digits, without an exponent",
			})
			return nil, nil
		}
		return v, nil
	default:
		return v, nil
	}
}

func (p *parser) object(at pointer) (any, error) {
	object := make(map[string]any)
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("a field has no name")
		}
		if _, twice := object[name]; twice {
			p.faults = append(p.faults, located{
				at: at.with(name), code: profile.CodeDuplicate, text: fmt.Sprintf("the field %s is given twice", shorten(name)),
			})
		}
		if object[name], err = p.value(at.with(name)); err != nil {
			return nil, err
		}
	}
	_, err := p.dec.Token() // the closing brace
	return object, err
}

func (p *parser) array(at pointer) (any, error) {
	array := []any{}
	for p.dec.More() {
		v, err := p.value(at.with(strconv.Itoa(len(array))))
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := p.dec.Token() // the closing bracket
	return array, err
}

// remove takes what is at the pointer out of v: a field is deleted, an entry of
// a list becomes nil so that the others keep their places.
func remove(v any, at pointer) any {
	if len(at) == 0 {
		return nil
	}
	parent := v
	for _, token := range at[:len(at)-1] {
		parent = child(parent, token)
	}
	last := at[len(at)-1]
	switch c := parent.(type) {
	case map[string]any:
		delete(c, last)
	case []any:
		if i, err := strconv.Atoi(last); err == nil && i >= 0 && i < len(c) {
			c[i] = nil
		}
	}
	return v
}

func child(v any, token string) any {
	switch c := v.(type) {
	case map[string]any:
		return c[token]
	case []any:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(c) {
			return c[i]
		}
	}
	return nil
}
