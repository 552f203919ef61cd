// What holds a pod's namespaces open while its containers come and go: it waits to be ended. It reaps nothing, for no pod
// of the test bed shares its process namespace.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
