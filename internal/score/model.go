package score

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

// Model is what an epoch is made with besides the program itself. The zero Model
// is the program alone. All replicas read the same one, so they all agree.
type Model struct {
	Tables     *translate.Tables    // nil: what the lexicon alone teaches
	Background *analysis.Background // nil: no corpus is known; pruned, see [analysis.Background.Prune]
	Thresholds Thresholds           // zero: the program's own
	About      About
}

// About says what a model was made of, for people and for the next version.
type About struct {
	Program  string         `json:"program,omitempty"` // the kobling that made the epoch
	Maker    string         `json:"maker,omitempty"`   // [Epoch.Maker] of it
	Before   []string       `json:"before,omitempty"`  // the makers of earlier epochs, which are not to come back by themselves
	Made     time.Time      `json:"made,omitzero"`     // when the model was
	Packs    []Pack         `json:"packs,omitempty"`
	Tables   string         `json:"tables,omitempty"`   // version of the compiled tables
	Profiles map[string]int `json:"profiles,omitempty"` // of the background, by language; one of two languages counts in both
	Total    int            `json:"total,omitempty"`    // profiles of the background
	Terms    int            `json:"terms,omitempty"`
	Pairs    float64        `json:"pairs,omitempty"` // expected suggestions of a profile, on average
	// Thresholds are those of the epoch, whoever set them.
	Thresholds Thresholds `json:"thresholds"`
}

// Pack is a list of words from elsewhere that went into the tables.
type Pack struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Licence string `json:"licence"`
	Source  string `json:"source,omitempty"`
}

// modelHeader begins a file of a model and names its layout. Change it when that
// changes, and read the older one too: installations keep such files.
const modelHeader = "kobling model 1\n"

// maxPart bounds each part of a file.
const maxPart = 1 << 28

// note is the part of a file that people could read.
type note struct {
	Thresholds Thresholds `json:"thresholds"`
	About      About      `json:"about"`
}

// Write writes m in a form that [ReadModel] reads: equal models give equal bytes.
// The parts are compressed.
func (m Model) Write(w io.Writer) error {
	text, err := json.Marshal(note{m.Thresholds, m.About})
	if err != nil {
		return err
	}
	var tables, background bytes.Buffer
	if m.Tables != nil {
		err = m.Tables.Write(&tables)
	}
	if m.Background != nil {
		err = errors.Join(err, m.Background.Write(&background))
	}
	if err != nil {
		return err
	}
	out := []byte(modelHeader)
	for _, part := range [][]byte{text, tables.Bytes(), background.Bytes()} {
		if len(part) > maxPart {
			return fmt.Errorf("a part of the model has %d MiB, more than %d: %w", len(part)>>20, maxPart>>20, fault.ErrInvalid)
		}
		out = append(binary.AppendUvarint(out, uint64(len(part))), part...)
	}
	_, err = w.Write(out)
	return err
}

// ReadModel reads what [Model.Write] wrote. The error wraps fault.ErrInvalid: it
// is damaged, or of a later version.
func ReadModel(r io.Reader) (Model, error) {
	m, err := readModel(r)
	if err != nil && !errors.Is(err, fault.ErrInvalid) {
		err = fmt.Errorf("%w: %w", fault.ErrInvalid, err)
	}
	if err != nil {
		return Model{}, fmt.Errorf("model: %w", err)
	}
	return m, nil
}

func readModel(r io.Reader) (m Model, err error) {
	var in bytes.Buffer
	if _, err := in.ReadFrom(io.LimitReader(r, 3*maxPart)); err != nil {
		return m, err
	}
	if header := string(in.Next(len(modelHeader))); header != modelHeader {
		return m, fmt.Errorf("begins with %q, not %q", header, modelHeader)
	}
	var parts [3][]byte
	for i := range parts {
		n, err := binary.ReadUvarint(&in)
		if err != nil {
			return m, err
		}
		if n > uint64(in.Len()) { //nolint:gosec // not negative
			return m, fmt.Errorf("a part of %d bytes: %w", n, io.ErrUnexpectedEOF)
		}
		parts[i] = in.Next(int(n)) //nolint:gosec // at most what there is
	}
	if in.Len() > 0 {
		return m, errors.New("does not end where it should")
	}
	var n note
	if err := json.Unmarshal(parts[0], &n); err != nil {
		return m, err
	}
	if err := n.Thresholds.check(); err != nil {
		return m, err
	}
	m.Thresholds, m.About = n.Thresholds, n.About
	if len(parts[1]) > 0 {
		if m.Tables, err = translate.Read(bytes.NewReader(parts[1])); err != nil {
			return m, err
		}
	}
	if len(parts[2]) > 0 {
		m.Background, err = analysis.ReadBackground(bytes.NewReader(parts[2]))
	}
	return m, err
}

// check refuses bounds that no score can be measured by.
func (t Thresholds) check() error {
	if t == (Thresholds{}) {
		return nil
	}
	if t.Floor < 1 || t.Floor > TextMax || t.Possible < 0 || t.Possible > t.Strong || t.Strong > scale || t.Twin < 0 || t.Twin > scale {
		return fmt.Errorf("thresholds %+v: %w", t, fault.ErrInvalid)
	}
	return nil
}

// program is the analysis of the program alone. It takes a second to make
// and is the same for all models.
var program = sync.OnceValues(func() (*analysis.Analyzer, error) {
	lex, err := lexicon.Default()
	if err != nil {
		return nil, err
	}
	return analysis.New(lex)
})

// Epoch makes the epoch of the embedded lexicon and m. The first of a process
// costs a second.
func (m Model) Epoch(number int) (*Epoch, error) {
	a, err := program()
	if err != nil {
		return nil, err
	}
	var options []analysis.Option
	if m.Tables != nil {
		options = append(options, analysis.WithTables(m.Tables))
	}
	if m.Background != nil {
		options = append(options, analysis.WithBackground(m.Background))
	}
	if len(options) > 0 {
		if a, err = a.With(options...); err != nil {
			return nil, err
		}
	}
	t := m.Thresholds
	if t == (Thresholds{}) {
		t = DefaultThresholds()
	}
	return NewEpoch(number, a, t), nil
}

// maxBefore is how many earlier makers are remembered.
const maxBefore = 100

// By returns what is said of a model in the epoch e that a program makes of it.
func (a About) By(program string, e *Epoch) About {
	maker := e.Maker()
	before := slices.DeleteFunc(slices.Clone(a.Before), func(m string) bool { return m == maker || m == a.Maker })
	if a.Maker != "" && a.Maker != maker {
		before = append(before, a.Maker)
	}
	a.Before = before[max(0, len(before)-maxBefore):]
	a.Program, a.Maker, a.Thresholds = program, maker, e.Thresholds()
	return a
}
