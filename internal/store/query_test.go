package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kobling/internal/store"
	"kobling/internal/testkit"
)

// TestEveryQueryFitsTheSchema prepares each constant of this package that is
// SQL, so that a renamed column fails here and not at night.
func TestEveryQueryFitsTheSchema(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, store.Migrate)
	queries := sqlConstants(t)
	if len(queries) < 40 {
		t.Fatalf("found only %d queries in the source: the test looks in the wrong place", len(queries))
	}
	for name, query := range queries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			if _, err := conn.Conn().Prepare(t.Context(), name, numbered(query)); err != nil {
				t.Errorf("%v in\n%s", err, query)
			}
		})
	}
}

// numbered replaces named arguments as pgx does.
func numbered(query string) string {
	numbers := map[string]string{}
	return regexp.MustCompile(`@[a-z_]+`).ReplaceAllStringFunc(query, func(name string) string {
		if _, ok := numbers[name]; !ok {
			numbers[name] = "$" + strconv.Itoa(len(numbers)+1)
		}
		return numbers[name]
	})
}

var statement = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// sqlConstants returns the package's string constants that are whole statements.
func sqlConstants(t *testing.T) map[string]string {
	t.Helper()
	constants := map[string]ast.Expr{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for i, v := range spec.Values {
					constants[spec.Names[i].Name] = v
				}
			}
			return true
		})
	}
	queries := map[string]string{}
	for name, expr := range constants {
		query, ok := stringValue(constants, expr)
		if ok && statement.MatchString(query) && !strings.HasSuffix(query, "WHERE ") { // the last: a part of others
			queries[name] = query
		}
	}
	return queries
}

// stringValue evaluates literals, other constants, and + between them.
func stringValue(constants map[string]ast.Expr, expr ast.Expr) (string, bool) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return stringValue(constants, value)
		}
	case *ast.BinaryExpr:
		left, ok := stringValue(constants, e.X)
		right, ok2 := stringValue(constants, e.Y)
		return left + right, ok && ok2
	}
	return "", false
}
