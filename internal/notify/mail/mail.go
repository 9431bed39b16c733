// Package mail delivers notifications by e-mail: one multipart message, text and
// HTML, in the reader's language, with a Message-ID that stays the same when an
// attempt is repeated, so that a receiving server can drop the repeat.
package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"kobling/internal/alert"
	"kobling/internal/suggestion"
)

// Options are what an operator may set.
type Options struct {
	// URL is smtp://user:password@host:587 (STARTTLS is required),
	// smtps://host:465, or smtp+plain://host:25 without encryption. It is a
	// secret.
	URL string
	// From is the sender, e.g. "kobling <kobling@example.org>".
	From string
	// Site is this installation's public address for the footer, or "".
	Site string
}

// Sender is the e-mail channel. Create it with New.
type Sender struct {
	host    string
	options []gomail.Option
	from    *netmail.Address
	domain  string // right-hand side of Message-ID
	site    string
}

// New checks o and returns a Sender; it does not connect.
func New(o Options) (*Sender, error) {
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail sender %q: %w", o.From, err)
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("SMTP address: want smtp://user:password@host:port") // without the address: it may hold a password
	}
	s := &Sender{host: u.Hostname(), from: from, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:], site: o.Site}
	port := 587
	s.options = append(s.options, gomail.WithTimeout(10*time.Second), gomail.WithHELO(s.domain))
	switch u.Scheme {
	case "smtp":
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case "smtps":
		port = 465
		s.options = append(s.options, gomail.WithSSL())
	case "smtp+plain":
		port = 25
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("SMTP address: scheme %q is not one of smtp, smtps, smtp+plain", u.Scheme)
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("SMTP address: port %q", p)
		}
	}
	s.options = append(s.options, gomail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return s, nil
}

// Send implements notify.Channel.
func (s *Sender) Send(ctx context.Context, n alert.Notification, reasons []suggestion.Explained) error {
	m, err := s.Message(n, reasons)
	if err != nil {
		return &alert.SendError{Final: true, Err: err}
	}
	c, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail client: %w", err)
	}
	if err := c.DialAndSendWithContext(ctx, m); err != nil {
		return judge(err)
	}
	return nil
}

// judge makes a refusal for good (5xx on the recipient or the content) final and
// leaves everything else, such as a failed sign-in that an operator will mend, to
// be tried again.
func judge(err error) error {
	var se *gomail.SendError
	if errors.As(err, &se) && se.ErrorCode() >= 500 && !se.IsTemp() {
		return &alert.SendError{Final: true, Err: fmt.Errorf("mail refused with %d", se.ErrorCode())}
	}
	return fmt.Errorf("mail: %w", err)
}

// messageID is the Message-ID of a notification, without its brackets.
func (s *Sender) messageID(id uuid.UUID) string { return id.String() + "@" + s.domain }

// Message renders n for its reader.
func (s *Sender) Message(n alert.Notification, reasons []suggestion.Explained) (*gomail.Msg, error) {
	m := gomail.NewMsg()
	m.FromMailAddress(s.from)
	to, err := netmail.ParseAddress(n.Subscription.Address)
	if err != nil {
		return nil, errors.New("recipient's address cannot be used")
	}
	to.Name = n.Subscription.Name
	m.ToMailAddress(to)
	m.SetMessageIDWithValue(s.messageID(n.ID))
	if also := n.AlsoPostedAs; also != nil { // readers show both as one conversation
		m.SetGenHeader("In-Reply-To", "<"+s.messageID(also.Notification)+">")
		m.SetGenHeader("References", "<"+s.messageID(also.Notification)+">")
	}
	m.SetDateWithValue(n.CreatedAt)
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetGenHeader("List-Id", fmt.Sprintf("<%s.kobling.%s>", n.Subscription.Cluster, s.domain))

	l := letterFor(n, reasons, s.site)
	m.Subject(l.Subject)
	text, html, err := l.render()
	if err != nil {
		return nil, err
	}
	m.SetBodyString(gomail.TypeTextPlain, text)
	m.AddAlternativeString(gomail.TypeTextHTML, html)
	return m, nil
}
