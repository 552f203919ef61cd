// relay PORT TO: what connects to the port talks to TO (host:port), until it is told to end. It stands where an engine
// would whose test server keeps everything in memory: the relay is a pod that can be killed, the memory is elsewhere.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: relay PORT HOST:PORT")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", ":"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
	// The first process of a container is not ended by a signal that it does not ask for.
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-ended
		os.Exit(0)
	}()
	for {
		from, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "relay:", err)
			os.Exit(1)
		}
		go join(from, os.Args[2])
	}
}

// Both ways at once; when one has ended, so has the other.
func join(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	carry := func(into, out net.Conn) {
		_, _ = io.Copy(into, out)
		done <- struct{}{}
	}
	go carry(to, from)
	go carry(from, to)
	<-done
}
