package engine

import (
	"context"
	"time"
)

// pace is how patient the supervisor is.
type pace struct {
	firstPause, longestPause time.Duration // before a restart; doubles with each that follows soon
	steadyAfter              time.Duration // of answering, the pause starts small again
	pingEvery                time.Duration
	hungAfter                time.Duration // without one answer to a ping: queries may be slow, the HTTP thread is not
	closeGrace               time.Duration // for closing the tables in order
}

var ordinaryPace = pace{
	firstPause: 100 * time.Millisecond, longestPause: 30 * time.Second, steadyAfter: time.Minute,
	pingEvery: 5 * time.Second, hungAfter: time.Minute, closeGrace: 3 * time.Second,
}

// supervise keeps a child alive until Close, and ends it then.
func (e *Engine) supervise(child *process) {
	defer close(e.finished)
	defer e.lock.Close()
	defer e.become(Stopped, "")
	pause := e.pace.firstPause
	for {
		began := time.Now()
		go e.watch(child)
		select {
		case <-e.closing.Done():
			child.stop(e.pace.closeGrace)
			return
		case <-child.exited:
		}
		if time.Since(began) >= e.pace.steadyAfter {
			pause = e.pace.firstPause
		}
		reason := child.exitError().Error()
		e.become(Restarting, reason)
		e.log.Error("the engine ended and is started again", "reason", reason, "restarts", e.Status().Restarts)
		if child = e.restart(child.ports, &pause); child == nil {
			return
		}
	}
}

// restart tries, on the same ports first, until a child answers; nil when Close came first. pause is before the next try
// and grows.
func (e *Engine) restart(at ports, pause *time.Duration) *process {
	for {
		select {
		case <-e.closing.Done():
			return nil
		case <-time.After(*pause):
		}
		*pause = min(2**pause, e.pace.longestPause)
		child, err := e.bringUp(e.closing, at)
		if err == nil {
			e.log.Info("the engine is ready again", "pid", child.cmd.Process.Pid, "addr", child.ports.addr())
			return child
		}
		if e.closing.Err() == nil {
			e.note(err.Error())
			e.log.Error("the engine did not start", "reason", err, "next_try_in", *pause)
		}
	}
}

// watch ends a child that lives but answers nothing for pace.hungAfter, so that supervise sees it and starts another.
func (e *Engine) watch(child *process) {
	answered, tick := time.Now(), time.NewTicker(e.pace.pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-child.exited:
			return
		case <-e.closing.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(e.closing, e.pace.pingEvery)
		err := child.alive(ctx)
		cancel()
		switch {
		case err == nil:
			answered = time.Now()
		case time.Since(answered) >= e.pace.hungAfter:
			e.log.Error("the engine hangs and is ended", "since", answered.UTC(), "reason", err)
			child.kill()
			return
		}
	}
}
