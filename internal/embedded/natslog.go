package embedded

import (
	"fmt"

	"go.uber.org/zap"
)

// serverLog gives what the NATS server says to the program's own log.
type serverLog struct {
	log   *zap.SugaredLogger
	fatal chan string // the first thing that kept the server from starting
}

func newServerLog(log *zap.Logger) *serverLog {
	return &serverLog{log: log.Named("nats").Sugar(), fatal: make(chan string, 1)}
}

// Fatalf implements server.Logger. The server expects the process to end here;
// whoever starts it decides instead.
func (l *serverLog) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	l.log.Error(reason)
	select {
	case l.fatal <- reason:
	default:
	}
}

// Errorf implements server.Logger.
func (l *serverLog) Errorf(format string, v ...any) { l.log.Errorf(format, v...) }

// Warnf implements server.Logger.
func (l *serverLog) Warnf(format string, v ...any) { l.log.Warnf(format, v...) }

// Noticef implements server.Logger. Its notices are about itself, and many.
func (l *serverLog) Noticef(format string, v ...any) { l.log.Debugf(format, v...) }

// Debugf implements server.Logger.
func (l *serverLog) Debugf(format string, v ...any) { l.log.Debugf(format, v...) }

// Tracef implements server.Logger; the server is not asked to trace.
func (l *serverLog) Tracef(string, ...any) {}
